import { expect, test } from 'vitest';
import { digestHex } from '../../../runtime/content/digest.ts';
import type { SeededRandom } from '../../engine/random.ts';
import { makeRelease, type Published } from '../../load/content.ts';
import { MEMBERS_PAGE } from '../../load/pages.ts';
import { releaseRulesCheck } from './release-rules.ts';

const draws = (chance: boolean): SeededRandom => {
  const random = { chance: () => chance, integer: () => 1, fork: () => random };
  return random as unknown as SeededRandom;
};
const ruled = makeRelease('blog', 7, draws(true), 'elaborate');
const bare = makeRelease('blog', 8, draws(false), 'elaborate');
const markOf = ({ digest }: Published) => digestHex(digest).slice(0, 12);

function verdict(
  of: Published,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer = '',
) {
  const found: string[] = [];
  const check = releaseRulesCheck({
    violated: (_number, what) => void found.push(what),
    reached: () => undefined,
  });
  for (const release of [ruled, bare]) check.published?.('blog', release);
  const all = [...Object.entries(headers), ['b8s-release', markOf(of)] as const];
  const answer = { status: 200, headers: all, body };
  const asked = { node: 'london', host: 'blog.example.test', path, answer, namedBy: undefined };
  check.requested?.(asked);
  return found;
}

test('releases have rules, or have none', () => {
  expect([...ruled.files.keys()]).toContain('_headers');
  expect([...bare.files.keys()]).not.toContain('_headers');
});

const SEVEN = { 'x-version': '7' };
test.each([
  { what: 'its own header', of: ruled, path: '/', headers: SEVEN, found: 0 },
  { what: 'no header', of: ruled, path: '/', headers: {}, found: 1 },
  { what: 'the header of another', of: bare, path: '/', headers: SEVEN, found: 1 },
  { what: 'none where there are none', of: bare, path: '/', headers: {}, found: 0 },
  {
    what: 'its own redirect',
    ...{ of: ruled, path: '/moved', headers: { ...SEVEN, location: '/version-7' }, found: 0 },
  },
  {
    what: 'that of another',
    ...{ of: ruled, path: '/moved', headers: { ...SEVEN, location: '/version-8' }, found: 1 },
  },
  { what: 'no redirect', of: ruled, path: '/moved', headers: SEVEN, found: 1 },
  { what: 'none, rightly', of: bare, path: '/moved', headers: {}, found: 0 },
])('an answer with $what', ({ of, path, headers, found }) => {
  expect(verdict(of, path, headers)).toHaveLength(found);
});

test.each([
  { whose: 'its own', page: ruled, found: 0 },
  { whose: 'another release’s', page: bare, found: 1 },
])('a page for members with $whose bytes', ({ page, found }) => {
  const body = page.files.get(MEMBERS_PAGE.file) ?? '';
  expect(verdict(ruled, MEMBERS_PAGE.path, SEVEN, body)).toHaveLength(found);
});
