import { expect, test } from 'vitest';
import type { ContentCoding } from '../../../runtime/content/content-coding.ts';
import { chooseCoding } from './accept-encoding.ts';

const ALL: readonly ContentCoding[] = ['br', 'zstd', 'gzip'];

test.each([
  { when: 'the header is not sent', header: undefined, chosen: 'identity' },
  { when: 'it is empty: no coding is wanted', header: '', chosen: 'identity' },
  { when: 'it is blank', header: ' , ,', chosen: 'identity' },
  { when: 'a browser asks', header: 'gzip, deflate, br, zstd', chosen: 'br' },
  { when: 'one is known', header: 'gzip', chosen: 'gzip' },
  { when: 'it goes by its old name (§8.4.1.3)', header: 'x-gzip', chosen: 'gzip' },
  { when: 'case does not count', header: 'GZip;Q=0.5', chosen: 'gzip' },
  { when: 'none that we have is known', header: 'deflate, compress', chosen: 'identity' },
  { when: 'the greatest weight wins', header: 'br;q=0.5, gzip;q=0.8', chosen: 'gzip' },
  { when: 'of equal ones our first', header: 'gzip;q=0.8, zstd;q=0.8', chosen: 'zstd' },
  { when: 'weights have three digits', header: 'br;q=0.123, gzip;q=0.124', chosen: 'gzip' },
  { when: 'there is space around', header: ' br ; q=0.1 ,\tgzip ;\tq=1.000 ', chosen: 'gzip' },
  { when: 'one is refused', header: 'br;q=0, gzip', chosen: 'gzip' },
  { when: 'one is refused at length', header: 'br;q=0.000, zstd;q=0., gzip', chosen: 'gzip' },
  { when: 'all are refused', header: 'br;q=0, zstd;q=0, gzip;q=0', chosen: 'identity' },
  { when: 'any will do', header: '*', chosen: 'br' },
  { when: 'any other will do', header: 'br;q=0, *', chosen: 'zstd' },
  { when: 'any but little, and one more', header: 'gzip, *;q=0.1', chosen: 'gzip' },
  { when: 'nothing else will do', header: 'gzip, *;q=0', chosen: 'gzip' },
  { when: 'nothing will do', header: '*;q=0', chosen: 'none' },
  { when: 'nothing but the file itself', header: 'identity, *;q=0', chosen: 'identity' },
  { when: 'the file itself is liked best', header: 'identity, gzip;q=0.5', chosen: 'identity' },
  { when: 'it is liked as much', header: 'identity, gzip', chosen: 'gzip' },
  { when: 'it is liked less', header: 'identity;q=0.5, gzip', chosen: 'gzip' },
  { when: 'it is not named, and others little', header: 'gzip;q=0.001', chosen: 'gzip' },
  { when: 'it is refused, another not', header: 'gzip, identity;q=0', chosen: 'gzip' },
  { when: 'it is refused, and nothing known', header: 'identity;q=0', chosen: 'none' },
  { when: 'it is refused, and others unknown', header: 'deflate, identity;q=0', chosen: 'none' },
  { when: 'it is refused, any other will do', header: 'identity;q=0, *', chosen: 'br' },
  { when: 'a media player asks', header: 'identity;q=1, *;q=0', chosen: 'identity' },
  { when: 'a weight is not valid', header: 'br;q=2, zstd;q=-1, gzip;q=0.5', chosen: 'gzip' },
  { when: 'a weight is too long', header: 'br;q=0.9999, gzip;q=0.5', chosen: 'gzip' },
  { when: 'a weight is no number', header: 'br;q=x, zstd;q=, gzip;level=9', chosen: 'identity' },
  { when: 'a name comes twice: the first counts', header: 'br;q=0, br, gzip', chosen: 'gzip' },
  { when: 'a name holds another', header: 'brotli, zstdx, gzip', chosen: 'gzip' },
  { when: 'a name holds another, which follows', header: 'abr, br', chosen: 'br' },
  { when: 'there are no commas: it is one name', header: 'gzip br', chosen: 'identity' },
  { when: 'it is no list', header: ';;;===\u0000', chosen: 'identity' },
])('§12.5.3, "$header": $chosen, for $when', ({ header, chosen }) => {
  expect(chooseCoding(header, ALL)).toBe(chosen);
});

test.each([
  { header: undefined, chosen: 'identity' },
  { header: 'gzip, br', chosen: 'identity' },
  { header: 'br;q=0.5', chosen: 'identity' },
  { header: 'gzip, identity;q=0', chosen: 'none' },
  { header: '*;q=0', chosen: 'none' },
  { header: 'identity;q=1, *;q=0', chosen: 'identity' },
])('without coded forms, "$header": $chosen', ({ header, chosen }) => {
  expect(chooseCoding(header, [])).toBe(chosen);
});

test('a long list is looked at as far as a sensible one is long', () => {
  expect(chooseCoding(`${'x;q=1,'.repeat(100_000)}gzip`, ALL)).toBe('identity');
});
