import { describe, expect, test } from 'vitest';
import { parseAddress } from '../geo/address.ts';
import { type CookieAnswer, type Cookies, createCookies } from './cookies.ts';
import { SipHash } from './siphash.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** The first of the reference vectors: key 00 … 0f, input 00, 00 01, 00 01 02 … */
test.each([
  { bytes: 0, hash: '310e0edd47db6f72' },
  { bytes: 1, hash: 'fd67dc93c539f874' },
  { bytes: 7, hash: '37d1018bf50002ab' },
  { bytes: 8, hash: '6224939a79f5f593' },
  { bytes: 15, hash: 'e545be4961ca29a1' },
  { bytes: 16, hash: 'db9bc2577fcc2a3f' },
  { bytes: 63, hash: '724506eb4c328a95' },
])('SipHash-2-4 of $bytes bytes', ({ bytes, hash }) => {
  const count = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);
  expect(Buffer.from(new SipHash(count(16)).hash(count(bytes))).toString('hex')).toBe(hash);
});

const SECRET = 'e5e973e5a6b2a43f48e7dc849e37bfcf';

function judge(
  cookies: Cookies | undefined,
  { cookie, from, atS }: { cookie: string; from: string; atS: number },
): CookieAnswer & { readonly whole: string } {
  const client = hex(cookie.slice(0, 16));
  const address = parseAddress(from);
  if (cookies === undefined || address === undefined) throw new Error('no secret or address');
  const asked = { cookie: { client, server: hex(cookie.slice(16)) }, client: address };
  const answer = cookies.judge({ ...asked, nowMs: 1000 * atS + 999 });
  return { ...answer, whole: Buffer.concat([client, answer.server]).toString('hex') };
}

describe('the examples of RFC 9018 appendix A', () => {
  const old = hex('dd3bdf9344b678b185a6f5cb60fca715');
  const next = hex('445536bcd2513298075a5d379663c962');
  test.each([
    {
      when: 'A.1: a new client',
      secrets: [hex(SECRET)],
      from: '198.51.100.100',
      cookie: '2464c4abcf10c957',
      atS: 1_559_731_985,
      standing: 'client-only',
      whole: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
    },
    {
      when: 'A.2: 40 minutes later the cookie is renewed',
      secrets: [hex(SECRET)],
      from: '198.51.100.100',
      cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
      atS: 1_559_734_385,
      standing: 'valid',
      whole: '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
    },
    {
      when: 'A.3: reserved bytes are hashed as they came; it is 6,715 s old when it comes',
      secrets: [hex(SECRET)],
      from: '203.0.113.203',
      cookie: 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
      atS: 1_559_734_700,
      standing: 'invalid',
      whole: 'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e',
    },
    {
      when: 'A.4: IPv6, made with the secret before',
      secrets: [next, old],
      from: '2001:db8:220:1:59de:d0f4:8769:82b8',
      cookie: '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
      atS: 1_559_741_961,
      standing: 'valid',
      whole: '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
    },
  ])('$when', ({ secrets, standing, whole, ...asked }) => {
    expect(judge(createCookies(secrets), asked)).toMatchObject({ standing, whole });
  });

  test('A.3 when it was new: valid, and given back without the reserved bytes', () => {
    const cookie = 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5';
    const asked = { cookie, from: '203.0.113.203', atS: 1_559_727_985 };
    const { standing, whole } = judge(createCookies([hex(SECRET)]), asked);
    expect([standing, whole.slice(16, 32)]).toEqual(['valid', '010000005cf78f71']);
  });
});

describe('how long a cookie is good (RFC 9018 §4.3)', () => {
  const from = '198.51.100.100';
  const cookie = '2464c4abcf10c957010000005cf79f111f8130c3eee29480';
  const madeS = 1_559_731_985;
  test.each([
    { ageS: -301, standing: 'invalid', kept: false },
    { ageS: -300, standing: 'valid', kept: true },
    { ageS: 0, standing: 'valid', kept: true },
    { ageS: 1800, standing: 'valid', kept: true },
    { ageS: 1801, standing: 'valid', kept: false },
    { ageS: 3600, standing: 'valid', kept: false },
    { ageS: 3601, standing: 'invalid', kept: false },
  ])('after $ageS s: $standing', ({ ageS, standing, kept }) => {
    const answer = judge(createCookies([hex(SECRET)]), { cookie, from, atS: madeS + ageS });
    expect([answer.standing, answer.whole === cookie]).toEqual([standing, kept]);
  });

  test.each([
    { when: 'of another address', cookie, from: '198.51.100.101' },
    { when: 'of another client cookie', cookie: `3${cookie.slice(1)}`, from },
    { when: 'of another version', cookie: cookie.replace('5701', '5702'), from },
    { when: 'with one bit changed', cookie: `${cookie.slice(0, -1)}1`, from },
    { when: 'of another length', cookie: `${cookie}00`, from },
    { when: 'of the least length', cookie: cookie.slice(0, 32), from },
  ])('$when: invalid, and replaced', ({ cookie: sent, from: address }) => {
    const cookies = createCookies([hex(SECRET)]);
    const answer = judge(cookies, { cookie: sent, from: address, atS: madeS });
    expect(answer.standing).toBe('invalid');
    const again = judge(cookies, { cookie: answer.whole, from: address, atS: madeS });
    expect([again.standing, again.whole]).toEqual(['valid', answer.whole]);
  });
});

test('a change of the secret: what either makes, each accepts', () => {
  const [first, second, third] = ['11', '22', '33'].map((byte) => hex(byte.repeat(16)));
  if (first === undefined || second === undefined || third === undefined) throw new Error();
  // Before the change the next secret is known already, after it the last one still.
  const before = createCookies([first, second]);
  const after = createCookies([second, third, first]);
  const asked = { cookie: '0102030405060708', from: '192.0.2.1', atS: 1_000_000 };
  for (const [maker, taker] of [
    [before, after],
    [after, before],
  ]) {
    const { whole } = judge(maker, asked);
    expect(judge(taker, { ...asked, cookie: whole }).standing).toBe('valid');
  }
});

test('without a secret there are no cookies', () => {
  expect(createCookies([])).toBeUndefined();
  expect(() => createCookies([hex('00')])).toThrow('16');
});
