import { expect, test } from 'vitest';
import { digestHex } from '../../../runtime/content/digest.ts';
import { seededRandom } from '../../engine/random.ts';
import { makeRelease } from '../../load/content.ts';
import { previewsCheck } from './previews.ts';

const random = seededRandom('previews');
const one = makeRelease('blog', 1, random);
const two = makeRelease('blog', 2, random);
const hostOf = ({ digest }: typeof one) =>
  `${digestHex(digest).slice(0, 12)}--blog.preview.example.test`;
const NOINDEX = ['x-robots-tag', 'noindex'] as const;

function verdict(host: string, status: number, body: string | Buffer, headers = [NOINDEX]) {
  const violations: string[] = [];
  const reached: string[] = [];
  const check = previewsCheck({
    violated: (_invariant, what) => violations.push(what),
    reached: (path) => reached.push(path),
  });
  for (const release of [one, two]) check.published?.('blog', release);
  const answer = { status, headers, body };
  check.previewed?.({ node: 'london', host, path: '/', answer, namedBy: undefined });
  return { violations, reached };
}

const page = (release: typeof one) => release.files.get('index.html') ?? '';

test.each([
  { when: 'its own page', host: hostOf(one), status: 200, body: page(one), says: [] },
  {
    when: 'the page of another release',
    ...{ host: hostOf(one), status: 200, body: page(two) },
    says: ['of no such release'],
  },
  { when: 'that it has ended', host: hostOf(one), status: 404, body: 'gone', says: [] },
  { when: 'that it is on its way', host: hostOf(one), status: 503, body: 'soon', says: [] },
])('a preview that answers $when', ({ host, status, body, says }) => {
  const { violations } = verdict(host, status, body);
  expect(violations).toHaveLength(says.length);
  for (const [index, part] of says.entries()) expect(violations[index]).toContain(part);
});

test.each([200, 404, 503])('one that search engines may list is noticed at status %i', (status) => {
  expect(verdict(hostOf(one), status, page(one), []).violations[0]).toContain('may list');
});

test('a host that is no site’s need not say so', () => {
  expect(verdict(hostOf(one), 421, 'no', []).violations).toEqual([]);
});
