import { expect, test } from 'vitest';
import { parseTargets } from './targets.ts';

function shown(words: readonly string[]): readonly string[] {
  const targets = parseTargets(words);
  if (targets.form === 'kinds') return targets.kinds.map((kind) => kind.plural);
  return targets.names.map(({ kind, name }) => `${kind.plural}/${name}`);
}

test.each([
  { words: ['sites'], meant: ['sites'] },
  { words: ['Site'], meant: ['sites'] },
  { words: ['si,zones.b8s.dev'], meant: ['sites', 'zones'] },
  { words: ['site', 'a', 'b'], meant: ['sites/a', 'sites/b'] },
  { words: ['site,zone', 'a'], meant: ['sites/a', 'zones/a'] },
  { words: ['site/a', 'node/b'], meant: ['sites/a', 'nodes/b'] },
])('$words means $meant', ({ words, meant }) => {
  expect(shown(words)).toEqual(meant);
});

test.each([
  { words: ['stie'], message: /resource type "stie"; did you mean "site"\?$/ },
  { words: ['zzzzzzzz'], message: /resource type "zzzzzzzz"$/ },
  { words: ['site/a', 'b'], message: /"b" is not TYPE\/NAME/ },
  { words: ['site/'], message: /"site\/" is not TYPE\/NAME/ },
  { words: ['site/a/b'], message: /is not TYPE\/NAME/ },
])('$words is refused', ({ words, message }) => {
  expect(() => parseTargets(words)).toThrow(message);
});
