import { expect, test } from 'vitest';
import { admits, compareVersions, greatestVersion, parseRange, parseVersion } from './semver.ts';

/** semver.org §11.4.4, and what lies around it; each comes before the next. */
const ORDERED = [
  '0.9.9',
  '1.0.0-0',
  '1.0.0-9',
  '1.0.0-10',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.2.0',
  '1.10.0',
  '2.0.0',
];

test('versions are ordered as semver.org §11 says', () => {
  const versions = ORDERED.toReversed().flatMap((text) => parseVersion(text) ?? []);
  const sorted = versions.toSorted(compareVersions);
  expect(sorted).toEqual(ORDERED.map(parseVersion));
});

test.each(['', '1', '1.2', 'v', '01.2.3', '1.2.3-', '1.2.3.4', '1.2.3 ', 'release-1.2.3'])(
  '"%s" is no version',
  (text) => expect(parseVersion(text)).toBeUndefined(),
);

test.each([
  { range: '1.2.3', in: ['1.2.3', 'v1.2.3', '1.2.3+build'], out: ['1.2.4', '1.2.3-rc.1'] },
  { range: '1.2', in: ['1.2.0', '1.2.9'], out: ['1.3.0', '1.1.9', '1.3.0-0'] },
  { range: '1.x', in: ['1.0.0', '1.9.9'], out: ['2.0.0', '0.9.0', '2.0.0-rc.1'] },
  { range: '*', in: ['0.0.0', '9.9.9'], out: ['1.0.0-rc.1'] },
  { range: '', in: ['0.0.0'], out: [] },
  { range: '^1.2.3', in: ['1.2.3', '1.9.0'], out: ['1.2.2', '2.0.0', '2.0.0-rc.1'] },
  { range: '^0.2.3', in: ['0.2.3', '0.2.9'], out: ['0.3.0', '0.2.2'] },
  { range: '^0.0.3', in: ['0.0.3'], out: ['0.0.4'] },
  { range: '^0', in: ['0.9.0'], out: ['1.0.0'] },
  { range: '~1.2.3', in: ['1.2.3', '1.2.9'], out: ['1.3.0'] },
  { range: '~1', in: ['1.9.0'], out: ['2.0.0'] },
  { range: '>=1.2 <2', in: ['1.2.0', '1.9.9'], out: ['1.1.9', '2.0.0'] },
  { range: '>= 1.2 < 1.4', in: ['1.3.9'], out: ['1.4.0'] },
  { range: '>1.2', in: ['1.3.0'], out: ['1.2.9'] },
  { range: '<=1.2', in: ['1.2.9', '0.1.0'], out: ['1.3.0'] },
  { range: '1.2 - 1.4', in: ['1.2.0', '1.4.9'], out: ['1.5.0', '1.1.0'] },
  { range: '1.2.0 || ^3', in: ['1.2.0', '3.1.0'], out: ['2.0.0', '4.0.0'] },
  {
    range: '>=1.2.0-rc.1',
    in: ['1.2.0-rc.2', '1.2.0', '2.0.0'],
    out: ['1.2.0-beta', '1.3.0-rc.1'],
  },
  { range: '>*', in: [], out: ['0.0.0', '9.0.0'] },
])('"$range" admits $in and not $out', ({ range, in: inside, out }) => {
  const parsed = parseRange(range);
  if (parsed === undefined) throw new Error('no range');
  const isIn = (text: string): boolean => {
    const version = parseVersion(text);
    return version !== undefined && admits(parsed, version);
  };
  expect(inside.filter((text) => !isIn(text))).toEqual([]);
  expect(out.filter(isIn)).toEqual([]);
});

test.each(['latest', '1.2.3.4', '^', '1 -', '>=1 <', '1.2.3 || latest', '^^1', '1..2'])(
  '"%s" is no range',
  (text) => expect(parseRange(text)).toBeUndefined(),
);

test('the greatest is told by the tag that names it, whatever the order of tags', () => {
  const range = parseRange('^1') ?? [];
  const tags = ['v1.2.0', 'v1.10.0', 'v2.0.0', 'v1.11.0-rc.1', 'latest', '1.9.0'];
  expect(greatestVersion(tags, range)).toBe('v1.10.0');
  expect(greatestVersion(tags.toReversed(), range)).toBe('v1.10.0');
  expect(greatestVersion(['v1.2.0', '1.2.0'], range)).toBe(
    greatestVersion(['1.2.0', 'v1.2.0'], range),
  );
  expect(greatestVersion(['v2.0.0'], range)).toBeUndefined();
});
