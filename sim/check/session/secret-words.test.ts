import { describe, expect, test } from 'vitest';
import type { Secret } from '../check.ts';
import { SecretWords } from './secret-words.ts';

const TOKEN = 'abcdefghijklmnopqrstuvwxyz012345';
const SHORTEST = '0123456789abcdef';
const COOKIE_SECRET = Buffer.from('a secret of 16 b');

function knowing(...secrets: readonly Secret[]): SecretWords {
  const words = new SecretWords();
  for (const secret of secrets) words.add(secret);
  return words;
}

describe('a secret is found in a text', () => {
  const offsets = Array.from({ length: 40 }, (_, offset) => offset);

  test.each(offsets)(
    'that begins after %i other characters, with or without more after it',
    (offset) => {
      const [token, short] = [
        { kind: 'token', text: TOKEN },
        { kind: 'mac key', text: SHORTEST },
      ] as const;
      const words = knowing(token, short);
      for (const [secret, text] of [[token, TOKEN] as const, [short, SHORTEST] as const]) {
        expect(words.in(`${'-'.repeat(offset)}${text}`)).toEqual([secret]);
        expect(words.in(`${'-'.repeat(offset)}${text} and more`)).toEqual([secret]);
        expect(words.in(`${'-'.repeat(offset)}${text.slice(1)}`)).toEqual([]);
        expect(words.in(`${'-'.repeat(offset)}${text.slice(0, -1)}`)).toEqual([]);
      }
    },
  );

  test('once for each place', () => {
    const secret = { kind: 'token', text: TOKEN } as const;
    expect(knowing(secret).in(`${TOKEN} ${TOKEN}${TOKEN}`)).toEqual([secret, secret, secret]);
  });

  test.each(['hex', 'base64', 'base64url', 'latin1'] as const)('as %s', (encoding) => {
    const secret = { kind: 'cookie secret', bytes: COOKIE_SECRET } as const;
    const text = `key=${COOKIE_SECRET.toString(encoding)};`;
    expect(knowing(secret).in(text)).toContain(secret);
  });
});

test('of tokens only the newest are looked for', () => {
  const tokens = Array.from({ length: 40 }, (_, index) => `${TOKEN}${index}.`);
  const words = knowing(...tokens.map((text) => ({ kind: 'token', text }) as const));
  expect(words.in(tokens[0] ?? '')).toEqual([]);
  expect(words.in(tokens[39] ?? '')).toHaveLength(1);
});
