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
  { when: 'a slice', template: '{.items[0:1].metadata.name}', printed: 'a' },
  { when: 'a slice to the end', template: '{.items[1:].metadata.name}', printed: 'b' },
  { when: 'any depth', template: '{..name}', printed: 'a b' },
  {
    when: 'a filter by text',
    template: '{.items[?(@.metadata.name=="b")].spec.ttl}',
    printed: '30',
  },
  { when: 'a filter by size', template: '{.items[?(@.spec.ttl>9)].metadata.name}', printed: 'b' },
  { when: 'a filter that nothing fits', template: '{.items[?(@.spec.ttl>30)].x}', printed: '' },
  {
    when: 'a filter by presence',
    template: '{.items[?(@.spec.hosts)].metadata.name}',
    printed: 'a',
  },
  {
    when: 'filters joined',
    template: "{.items[?(@.spec.ttl==30 && @.metadata.name!='a' || @.x)].metadata.name}",
    printed: 'b',
  },
  { when: 'a filter of the items', template: '{.items[0].spec.hosts[?(@=="y")]}', printed: 'y' },
  {
    when: 'a filter by a quoted key and a brace',
    template: `{.items[?(@.metadata.labels['b8s.dev/tier']!="}")].metadata.name}`,
    printed: 'a',
  },
  {
    when: 'a range',
    template: '{range .items[*]}{.metadata.name}={.spec.ttl}{"\\n"}{end}.',
    printed: 'a=\nb=30\n.',
  },
  {
    when: 'a range in a range',
    template: '{range .items[*]}{range .spec.hosts[*]}{@},{end};{end}',
    printed: 'x,y,;;',
  },
  { when: 'text around', template: 'name={.items[0].metadata.name}{"\\n"}', printed: 'name=a\n' },
])('jsonpath with $when', ({ template, printed }) => {
  expect(renderJsonPath(parseJsonPath(template), world)).toBe(printed);
});

test.each([
  '{.a',
  '{.a[x]}',
  '{range .items[*]}',
  '{end}',
  '{.a[?(b==1)]}',
  '{.a[?(@.b=1)]}',
  'a}',
])('jsonpath refuses %s', (template) => {
  expect(() => parseJsonPath(template)).toThrow(/^jsonpath: /);
});
