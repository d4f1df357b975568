import { expect, test } from 'vitest';
import { parseJsonPath, renderJsonPath } from './jsonpath.ts';

const world = {
  items: [
    { metadata: { name: 'a', labels: { 'b8s.dev/tier': 'front' } }, spec: { hosts: ['x', 'y'] } },
    { metadata: { name: 'b', labels: {} }, spec: { ttl: 30, nested: { deep: true } } },
  ],
};

test.each([
  { when: 'a star', template: '{.items[*].metadata.name}', printed: 'a b' },
  { when: 'an index', template: '{.items[0].spec.hosts[1]}', printed: 'y' },
  { when: 'an index from the end', template: '{.items[-1].metadata.name}', printed: 'b' },
  { when: 'an index past the end', template: '{.items[2].metadata.name}', printed: '' },
  { when: 'a missing field', template: '{.items[*].spec.ttl}', printed: '30' },
  { when: 'no braces', template: '.items[0].metadata.name', printed: 'a' },
  { when: 'no leading dot', template: '{items[0].metadata.name}', printed: 'a' },
  { when: 'a leading $', template: '{$.items[0].metadata.name}', printed: 'a' },
  {
    when: 'an escaped dot',
    template: '{.items[0].metadata.labels.b8s\\.dev/tier}',
    printed: 'front',
  },
  {
    when: 'a quoted key',
    template: "{.items[0].metadata.labels['b8s.dev/tier']}",
    printed: 'front',
  },
  { when: 'a mapping', template: '{.items[1].spec.nested}', printed: '{"deep":true}' },
  { when: 'a list', template: '{.items[0].spec.hosts}', printed: '["x","y"]' },
  { when: 'text around', template: 'name={.items[0].metadata.name}{"\\n"}', printed: 'name=a\n' },
])('jsonpath with $when', ({ template, printed }) => {
  expect(renderJsonPath(parseJsonPath(template), world)).toBe(printed);
});

test.each(['{.a', '{.a[x]}', '{range .items[*]}', '{.a[?(@.b==1)]}', 'a}'])(
  'jsonpath refuses %s',
  (template) => {
    expect(() => parseJsonPath(template)).toThrow(/^jsonpath: /);
  },
);
