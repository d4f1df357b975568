import { expect, test } from 'vitest';
import { renderText } from './render-text.ts';

test('what fits stands in one line, everything else has a line for each part', () => {
  const long = Array.from({ length: 12 }, (_, index) => `${index + 1}.example.test`);
  const data = {
    dom: {
      'Site/blog': { spec: { hosts: ['a.test', 'b.test'], ttl: 30 }, names: long.slice(0, 2) },
      'Zone/long': { records: [{ name: 'a', values: long }], empty: {} },
    },
    plan: 'none',
  };
  expect(renderText(data)).toBe(`dom:
  Site/blog: { spec: { hosts: [a.test, b.test], ttl: 30 }, names: [1.example.test, 2.example.test] }
  Zone/long:
    records:
      -
        name: a
        values:
${long.map((name) => `          - ${name}\n`).join('')}    empty: {}
plan: none
`);
});
