import { expect, test } from 'vitest';
import { machinesOf, sparedMachines } from './machines-of.ts';
import { drawSetting } from './setting.ts';

const SETTING = { ...drawSetting(7, 'full'), subs: 6 };

test('who is left out changes nothing of the others', () => {
  const all = machinesOf(SETTING);
  const some = machinesOf({ ...SETTING, leftOut: ['1.2', 'london', 'tokyo'] });
  expect(some).toEqual(all.filter(({ name }) => !['london', 'tokyo'].includes(name)));
  expect(all).toHaveLength(6);
});

test.each([
  { when: 'nobody is left', subs: 1, leftOut: ['london'] },
  { when: 'there is no such machine at all', subs: 0, leftOut: [] },
])('refused: $when', ({ subs, leftOut }) => {
  expect(() => machinesOf({ ...SETTING, subs, leftOut })).toThrow('the first machine that is left');
});

test('a world can do without each but the last', () => {
  const setting = { ...SETTING, subs: 2, leftOut: [] };
  expect(sparedMachines(setting)).toEqual(['newyork', 'london']);
  expect(sparedMachines({ ...setting, leftOut: ['london'] })).toEqual([]);
});
