import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { readSigningKey, thumbprint } from './jws.ts';

test('the thumbprint of the key of RFC 7638 §3.1', () => {
  const n = [
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC',
    'PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY',
    '368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM',
    '4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  ].join('');
  const print = thumbprint({ jwk: { e: 'AQAB', kty: 'RSA', n } });
  expect(print).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('the members of a key stand in the order of their names, as its thumbprint needs', () => {
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem);
  expect(Object.keys(readSigningKey(ec.toString()).jwk)).toEqual(['crv', 'kty', 'x', 'y']);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem);
  expect(Object.keys(readSigningKey(rsa.toString()).jwk)).toEqual(['e', 'kty', 'n']);
});

test.each([
  { when: 'no PEM', keyPem: 'hunter2' },
  {
    when: 'PEM of nothing',
    keyPem: '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
  },
  {
    when: 'another curve',
    keyPem: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  },
])('$when is no key of an account, and is not quoted', ({ keyPem }) => {
  const secret = keyPem.toString().split('\n')[1] ?? keyPem.toString();
  expect(() => readSigningKey(keyPem.toString())).toThrow(/^read the private key of an account/);
  expect(() => readSigningKey(keyPem.toString())).not.toThrow(secret);
});
