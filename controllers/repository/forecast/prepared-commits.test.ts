import { expect, test } from 'vitest';
import type { CommitSet, Desired } from '../facts.ts';
import { PreparedCommits } from './prepared-commits.ts';

const PLAIN = {};

const setOf = (commit: string, objects: number, problems: readonly string[] = []): CommitSet => ({
  ...{ commit, subject: '', problems },
  desired: Array.from({ length: objects }, (_, n) => ({ key: `Issuer//${n}` }) as Desired),
});

test('a set is found under its key only', () => {
  const sets = new PreparedCommits();
  const set = setOf('a', 1);
  sets.keep('k', set, PLAIN);
  expect([sets.get('k'), sets.get('l')]).toEqual([set, undefined]);
});

test('a refused one is not kept', () => {
  const sets = new PreparedCommits();
  sets.keep('k', setOf('a', 0, ['wrong']), PLAIN);
  expect(sets.get('k')).toBeUndefined();
});

test('what was not asked for the longest goes, by objects', () => {
  const sets = new PreparedCommits();
  for (const commit of ['a', 'b']) sets.keep(commit, setOf(commit, 10_000), PLAIN);
  sets.get('a');
  sets.keep('c', setOf('c', 1), PLAIN);
  expect(['a', 'b', 'c'].map((each) => sets.get(each) !== undefined)).toEqual([true, false, true]);
});

test('and by number, and the same one twice counts once', () => {
  const sets = new PreparedCommits();
  for (let n = 0; n < 30_000; n += 1) sets.keep('same', setOf('same', 10), PLAIN);
  for (let n = 0; n < 64; n += 1) sets.keep(`c${n}`, setOf(`c${n}`, 1), PLAIN);
  expect(sets.get('same')).toBeUndefined();
  expect(sets.get('c0')).toBeDefined();
});

test('one that was decrypted is not kept', () => {
  const sets = new PreparedCommits();
  sets.keep('k', setOf('a', 1), { decryption: { from: 'Secret default/sops-age', texts: [] } });
  expect(sets.get('k')).toBeUndefined();
});
