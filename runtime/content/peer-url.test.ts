import { describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { checkPeerPath, GRANT_S_MAX, grantKey, peerPath, severalPath } from './peer-url.ts';
import { BATCH_BLOBS_MAX } from './small-blobs.ts';

const edgeKey = Buffer.alloc(32, 7);
const nowS = 1_790_000_000;
const list = digestOf(Buffer.from('a release'));
const digest = digestOf(Buffer.from('a file'));
const grant = { list, node: 'london', untilS: nowS + 600 };
const right = peerPath({ ...grant, key: grantKey(edgeKey, grant) }, digest);
const check = (path: string, atS = nowS) => checkPeerPath(path, { key: edgeKey, nowS: atS });

describe('the URL of a blob on another edge', () => {
  it('is granted as it was made', () => {
    expect(check(right)).toEqual({ kind: 'one', digest, list });
    expect(check(right, grant.untilS - 1)).toMatchObject({ kind: 'one' });
  });

  const other = digestOf(Buffer.from('another file')).slice('sha256-'.length);
  const hex = digest.slice('sha256-'.length);
  const of = list.slice('sha256-'.length);
  const hostile: readonly (readonly [when: string, path: string])[] = [
    ['another digest', right.replace(hex, other)],
    ['another list', right.replace(of, other)],
    ['another node', right.replace('for=london', 'for=paris')],
    ['a later end', right.replace(`until=${grant.untilS}`, `until=${grant.untilS + 1}`)],
    ['the same end, written otherwise', right.replace('until=', 'until=0')],
    ['a changed signature', right.replace(/.$/u, (last) => (last === '0' ? '1' : '0'))],
    ['a shorter signature', right.slice(0, -2)],
    ['a longer signature', `${right}00`],
    ['no signature', right.replace(/&sig=.*$/u, '')],
    ['an empty signature', right.replace(/sig=.*$/u, 'sig=')],
    ['a signature twice', `${right}&sig=${'0'.repeat(64)}`],
    ['more parameters', `${right}&x=1`],
    ['parameters in another order', right.replace(/\?of=([^&]+)&for=([^&]+)/u, '?for=$2&of=$1')],
    ['no parameters', right.replace(/\?.*$/u, '')],
    ['upper case digits', right.replace(hex, hex.toUpperCase())],
    ['an escaped digit', right.replace(hex, `%3${hex.slice(1)}`)],
    ['a path out of the folder', right.replace(hex, '../../identity.json')],
    ['an escaped path out of the folder', right.replace(hex, '%2e%2e%2fidentity.json')],
    ['a folder below', right.replace(hex, `${hex}/x`)],
    ['a slash more', right.replace('/blob/', '/blob//')],
    ['a dot segment', right.replace('/blob/', '/x/../blob/')],
    ['an absolute target', `https://edge.b8s.internal${right}`],
    ['a NUL', `${right}\0`],
    ['a line end', `${right}\n`],
    ['a fragment', `${right}#x`],
    ['nothing', ''],
    ['a very long path', `${right}${'0'.repeat(100_000)}`],
    ['a node with a line end', right.replace('for=london', 'for=london%0a')],
  ];
  it.each(hostile)('is refused with %s', (_when, path) => {
    expect(path).not.toBe(right);
    expect(check(path)).toMatchObject({ kind: 'refused' });
  });

  it('is refused once it has expired, and when it lasts for too long', () => {
    expect(check(right, grant.untilS)).toEqual({ kind: 'refused', why: 'it has expired' });
    const early = grant.untilS - GRANT_S_MAX - 1;
    expect(check(right, early)).toEqual({ kind: 'refused', why: 'it is dated too far ahead' });
  });

  it('is refused by another edge, and when it is signed with the key of another grant', () => {
    const elsewhere = checkPeerPath(right, { key: Buffer.alloc(32, 8), nowS });
    expect(elsewhere).toMatchObject({ kind: 'refused' });
    const key = grantKey(edgeKey, { ...grant, node: 'paris' });
    expect(check(peerPath({ ...grant, key }, digest))).toMatchObject({ kind: 'refused' });
  });
});

describe('the URL of several blobs on another edge', () => {
  const signed = { ...grant, key: grantKey(edgeKey, grant) };
  const digests = ['a', 'b', 'c'].map((text) => digestOf(Buffer.from(text)));
  const [a = '', b = '', c = ''] = digests.map((each) => each.slice('sha256-'.length));
  const several = severalPath(signed, digests);

  it('is granted as it was made, of one and of as many as there may be', () => {
    expect(check(several)).toEqual({ kind: 'several', digests, list });
    const [one] = digests;
    expect(check(severalPath(signed, digests.slice(0, 1)))).toMatchObject({ digests: [one] });
    const many = Array.from({ length: BATCH_BLOBS_MAX + 1 }, (_, at) =>
      digestOf(Buffer.from(`${at}`)),
    );
    expect(check(severalPath(signed, many.slice(1)))).toMatchObject({ digests: many.slice(1) });
    expect(check(severalPath(signed, many))).toMatchObject({ kind: 'refused' });
  });

  const hostile: readonly (readonly [when: string, path: string])[] = [
    ['one less', several.replace(`,${c}`, '')],
    ['one more', several.replace(c, `${c},${a}`)],
    ['another order', several.replace(`${a},${b}`, `${b},${a}`)],
    ['another list', several.replace(/of=.{64}/u, `of=${a}`)],
    ['none', several.replace(`${a},${b},${c}`, '')],
    ['a comma at the end', several.replace(c, `${c},`)],
    ['another comma', several.replace(',', '%2c')],
    [
      'the signature of one alone',
      peerPath(signed, digests[0] ?? digest).replace('blob/', 'blobs/'),
    ],
    [
      'what is signed for several, asked as one',
      severalPath(signed, digests.slice(0, 1)).replace('blobs/', 'blob/'),
    ],
    ['a very long path', several.replace(c, Array(10_000).fill(c).join(','))],
  ];
  it.each(hostile)('is refused with %s', (_when, path) => {
    expect(path).not.toBe(several);
    expect(check(path)).toMatchObject({ kind: 'refused' });
  });
});
