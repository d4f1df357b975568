import { createHmac, createPublicKey, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AcmeAccount } from '../../acme/acme.ts';
import { VERSION } from '../../version.ts';
import { systemClock } from '../clock.ts';
import { type AcmeClient, createAcmeClient } from './acme.ts';
import { NONCE_TRIES_MAX } from './calls.ts';
import { type Asked, openScriptedCa, type ScriptedCa } from './scripted-ca.fixture.ts';

const { signal } = new AbortController();
const NAMES = ['b.example.com', 'a.example.com'];
const BAD_NONCE = {
  status: 400,
  body: { type: 'urn:ietf:params:acme:error:badNonce', detail: 'unknown nonce' },
};

let ca: ScriptedCa;
let acme: AcmeClient;
let account: AcmeAccount;
beforeEach(async () => {
  ca = await openScriptedCa();
  acme = createAcmeClient({ clock: systemClock() });
  const keyPem = await acme.makeKey('ecdsa-p256');
  account = { server: ca.server, url: ca.url('/account/1'), keyPem };
  ca.on('/new-order', { status: 201, headers: { location: '/order/1' }, body: order() });
});
afterEach(async () => {
  acme.close();
  await ca.close();
});

describe('a request (RFC 8555 §6)', () => {
  test('is signed by the account, for its URL, with a nonce of the CA', async () => {
    await acme.createOrder(account, { names: NAMES, profile: 'shortlived' }, signal);
    const asked = last();
    expect(asked.header).toEqual({
      alg: 'ES256',
      kid: account.url,
      nonce: expect.stringMatching(/^nonce-/),
      url: ca.url('/new-order'),
    });
    expect(asked.payload).toEqual({
      identifiers: NAMES.map((value) => ({ type: 'dns', value })),
      profile: 'shortlived',
    });
    expect(isSignedBy(asked.jws, account.keyPem)).toBe(true);
    expect(asked.headers).toMatchObject({
      'content-type': 'application/jose+json',
      'user-agent': `b8s/${VERSION}`,
      'accept-language': 'en',
    });
  });

  test('reads by POST with nothing in it', async () => {
    ca.on('/order/1', { body: order() });
    await acme.readOrder(account, ca.url('/order/1'), signal);
    expect(last()).toMatchObject({ method: 'POST', payload: undefined });
    expect(last().jws.payload).toBe('');
  });

  test('of an RSA account is signed by RS256', async () => {
    account = { ...account, keyPem: await acme.makeKey('rsa-2048') };
    await acme.createOrder(account, { names: NAMES }, signal);
    expect(last().header['alg']).toBe('RS256');
    expect(isSignedBy(last().jws, account.keyPem)).toBe(true);
  });

  test('by a key that has no account yet holds the key', async () => {
    const url = await acme.register(ca.server, { keyPem: account.keyPem, contact: [] }, signal);
    expect(url).toBe(account.url);
    expect(last().header).toMatchObject({ jwk: publicJwk(account.keyPem) });
    expect(last().header).not.toHaveProperty('kid');
    expect(last().payload).toEqual({ termsOfServiceAgreed: true, contact: [] });
  });

  test('binds the account to another by its MAC key (§7.3.4)', async () => {
    const macKey = Buffer.from('a key of 32 bytes, for the tests').toString('base64url');
    const externalAccount = { keyId: 'kid-1', macKey: `${macKey}=\n` };
    const { keyPem } = account;
    await acme.register(ca.server, { keyPem, contact: [], externalAccount }, signal);
    const { externalAccountBinding: bound } = last().payload as {
      readonly externalAccountBinding: Asked['jws'];
    };
    expect(decoded(bound.protected)).toEqual({
      alg: 'HS256',
      kid: 'kid-1',
      url: ca.url('/new-account'),
    });
    expect(decoded(bound.payload)).toEqual(publicJwk(keyPem));
    const mac = createHmac('sha256', Buffer.from(macKey, 'base64url'));
    mac.update(`${bound.protected}.${bound.payload}`);
    expect(bound.signature).toBe(mac.digest('base64url'));
  });

  test('changes keys with the signatures of both (§7.3.5)', async () => {
    ca.on('/key-change', { body: {} });
    const newKeyPem = await acme.makeKey('ecdsa-p256');
    await acme.changeKey(account, newKeyPem, signal);
    expect(isSignedBy(last().jws, account.keyPem)).toBe(true);
    const inner = last().payload as Asked['jws'];
    expect(isSignedBy(inner, newKeyPem)).toBe(true);
    expect(decoded(inner.protected)).toEqual({
      alg: 'ES256',
      jwk: publicJwk(newKeyPem),
      url: ca.url('/key-change'),
    });
    expect(decoded(inner.payload)).toEqual({
      account: account.url,
      oldKey: publicJwk(account.keyPem),
    });
  });
});

describe('nonces (RFC 8555 §6.5)', () => {
  test('each is used once, and those of answers save asking for them', async () => {
    for (let count = 0; count < 5; count += 1)
      await acme.createOrder(account, { names: NAMES }, signal);
    const used = ca.asked.map((asked) => asked.header['nonce']).filter((one) => one !== undefined);
    expect(new Set(used).size).toBe(5);
    expect(ca.asked.filter((asked) => asked.path === '/nonce')).toHaveLength(1);
  });

  test('one that is refused is replaced by the one that came with the refusal', async () => {
    let refused = 0;
    ca.on('/new-order', () => {
      refused += 1;
      if (refused < 4) return { ...BAD_NONCE, headers: { 'replay-nonce': `fresh-${refused}` } };
      return { status: 201, headers: { location: '/order/1' }, body: order() };
    });
    await acme.createOrder(account, { names: NAMES }, signal);
    const used = ca.asked.map((asked) => asked.header['nonce']).filter((one) => one !== undefined);
    expect(used.slice(1)).toEqual(['fresh-1', 'fresh-2', 'fresh-3']);
  });

  test('a refusal that brings none has it asked for', async () => {
    let refused = 0;
    ca.on('/new-order', () => {
      refused += 1;
      if (refused < 2) return { ...BAD_NONCE, headers: { 'replay-nonce': 'not base64url!' } };
      return { status: 201, headers: { location: '/order/1' }, body: order() };
    });
    await acme.createOrder(account, { names: NAMES }, signal);
    expect(ca.asked.filter((asked) => asked.path === '/nonce')).toHaveLength(2);
  });

  test('a CA that refuses them all is asked a bounded number of times', async () => {
    ca.on('/new-order', BAD_NONCE);
    const quick = { ...systemClock(), sleep: async () => undefined };
    const hurried = createAcmeClient({ clock: quick });
    const placing = hurried.createOrder(account, { names: NAMES }, signal);
    await expect(placing).rejects.toMatchObject({ document: { type: 'badNonce' } });
    hurried.close();
    expect(ca.asked.filter((asked) => asked.path === '/new-order')).toHaveLength(NONCE_TRIES_MAX);
  });

  test('nothing else is tried again by itself', async () => {
    ca.on('/new-order', { status: 503 });
    await expect(acme.createOrder(account, { names: NAMES }, signal)).rejects.toThrow('503');
    ca.on('/new-order', () => 'reset');
    await expect(acme.createOrder(account, { names: NAMES }, signal)).rejects.toThrow('place');
    expect(ca.asked.filter((asked) => asked.path === '/new-order')).toHaveLength(2);
  });
});

describe('what is remembered', () => {
  test('the directory, for a while', async () => {
    let nowMs = 0;
    const clock = { ...systemClock(), monotonicMs: () => nowMs };
    const client = createAcmeClient({ clock });
    const times = (): number => ca.asked.filter((asked) => asked.path === '/dir').length;
    await client.directory(ca.server, signal);
    await client.directory(ca.server, signal);
    expect(times()).toBe(1);
    nowMs += 10 * 60_000;
    await client.directory(ca.server, signal);
    expect(times()).toBe(2);
    client.close();
  });

  test('a nonce that is old is not used', async () => {
    let nowMs = 0;
    const client = createAcmeClient({ clock: { ...systemClock(), monotonicMs: () => nowMs } });
    await client.createOrder(account, { names: NAMES }, signal);
    nowMs += 6 * 60_000;
    await client.createOrder(account, { names: NAMES }, signal);
    expect(ca.asked.filter((asked) => asked.path === '/nonce')).toHaveLength(2);
    client.close();
  });
});

describe('the list of orders (RFC 8555 §7.1.2.1)', () => {
  test('is read over all pages, and a circle of them ends', async () => {
    ca.on('/account/1', { body: { status: 'valid', orders: ca.url('/orders') } });
    const page = (number: number, next: string): void =>
      ca.on(number === 1 ? '/orders' : `/orders/${number}`, {
        headers: { link: `<${next}>; rel="next"` },
        body: { orders: [ca.url(`/order/${number}`)] },
      });
    page(1, '/orders/2');
    page(2, ca.url('/orders/3'));
    page(3, ca.url('/orders'));
    expect(await acme.listOrders(account, signal)).toEqual(
      [1, 2, 3].map((number) => ca.url(`/order/${number}`)),
    );
  });

  test('is bounded, and keeps the end, where the newest are', async () => {
    ca.on('/account/1', { body: { status: 'valid', orders: ca.url('/orders/0') } });
    for (let page = 0; page < 30; page += 1)
      ca.on(`/orders/${page}`, {
        headers: page < 29 ? { link: `</orders/${page + 1}>; rel="next"` } : {},
        body: { orders: Array.from({ length: 99 }, (_, one) => ca.url(`/o/${page}/${one}`)) },
      });
    const listed = await acme.listOrders(account, signal);
    expect(listed).toHaveLength(1_000);
    expect(listed?.at(-1)).toBe(ca.url('/o/29/98'));
  });

  test('may stand on one page', async () => {
    ca.on('/account/1', { body: { status: 'valid', orders: ca.url('/orders') } });
    const orders = Array.from({ length: 4_000 }, (_, one) =>
      ca.url(`/order/${one}/${'x'.repeat(64)}`),
    );
    ca.on('/orders', { body: { orders } });
    expect(await acme.listOrders(account, signal)).toEqual(orders.slice(-1_000));
  });

  test.each([404, 405, 501])('is nothing where the CA names one and answers %i', async (status) => {
    ca.on('/account/1', { body: { status: 'valid', orders: ca.url('/orders') } });
    ca.on('/orders', { status });
    expect(await acme.listOrders(account, signal)).toBeUndefined();
  });

  test('is nothing where the account names none', async () => {
    ca.on('/account/1', { body: { status: 'valid' } });
    expect(await acme.listOrders(account, signal)).toBeUndefined();
  });
});

function order(): Readonly<Record<string, unknown>> {
  return {
    status: 'pending',
    expires: '2026-11-30T00:00:00Z',
    identifiers: NAMES.map((value) => ({ type: 'dns', value })),
    authorizations: [ca.url('/authz/1'), ca.url('/authz/2')],
    finalize: ca.url('/finalize/1'),
  };
}

function last(): Asked {
  const asked = ca.asked.at(-1);
  if (asked === undefined) throw new Error('nothing was asked');
  return asked;
}

function decoded(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}

function publicJwk(keyPem: string): object {
  return createPublicKey(keyPem).export({ format: 'jwk' });
}

function isSignedBy(jws: Asked['jws'], keyPem: string): boolean {
  const signed = Buffer.from(`${jws.protected}.${jws.payload}`);
  const key = { key: createPublicKey(keyPem), dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', signed, key, Buffer.from(jws.signature, 'base64url'));
}
