import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MUTANTS, mutantNamed } from './all.ts';
import { mutate } from './mutant.ts';

const root = join(import.meta.dirname, '../..');

describe.each(MUTANTS)('$name', (mutant) => {
  const source = readFileSync(join(root, mutant.file), 'utf8');

  test('has its one place in production code, and is a program', () => {
    const mutated = mutate(source, mutant);
    expect(mutated).not.toBe(source);
    expect(() => stripTypeScriptTypes(mutated)).not.toThrow();
    expect(mutant.file).toMatch(/^(agent|api|cli|controllers|dom|runtime)\/.*(?<!test|case)\.ts$/);
  });

  test('breaks invariants that there are', () => {
    expect(mutant.expects).not.toEqual([]);
    for (const number of mutant.expects) expect(number).toBeOneOf(INVARIANTS);
  });
});

test('there are enough of them, each with a name of its own', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(25);
  expect(() => mutantNamed('nobody')).toThrow('there is no mutant nobody');
});

test('a text that stands twice, or not at all, is no place', () => {
  const mutant = { ...mutantNamed('stale-plan-taken'), find: 'a', replace: 'b' };
  expect(() => mutate('a a', mutant)).toThrow('2 times');
  expect(() => mutate('', mutant)).toThrow('0 times');
  expect(mutate('$& a $1', { ...mutant, replace: '$&' })).toBe('$& $& $1');
});

const INVARIANTS = Array.from({ length: 47 }, (_, index) => index + 1);
