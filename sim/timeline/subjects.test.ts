import { expect, test } from 'vitest';
import type { TraceLine } from '../engine/trace.ts';
import { relatedTo } from './subjects.ts';

test('lines are related by words that few of them have', () => {
  const lines = [
    line('INV-28: london names tokyo for blog'),
    line('commits sites/default/blog'),
    line('names anything', { node: 'tokyo' }),
    line('session begun', { node: 'oslo' }),
    ...Array.from({ length: 20 }, () => line('names')),
  ];
  const isRelated = relatedTo(lines, 0);
  expect(lines.slice(0, 5).map((_, number) => isRelated(number))).toEqual([
    ...[true, true, true, false, false],
  ]);
});

function line(what: string, fields?: TraceLine['fields']): TraceLine {
  const bare = { atMs: 0, tick: 0, host: 'london', kind: 'decides', what, causes: [] } as const;
  return fields === undefined ? bare : { ...bare, fields };
}
