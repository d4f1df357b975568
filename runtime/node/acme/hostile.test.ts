import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AcmeAccount, AcmeProblem } from '../../acme/acme.ts';
import { encodePem } from '../../tls/pem.ts';
import { systemClock } from '../clock.ts';
import { type AcmeClient, createAcmeClient } from './acme.ts';
import { directoryAt, openScriptedCa, type Reply, type ScriptedCa } from './scripted-ca.fixture.ts';

const { signal } = new AbortController();
const CHAIN = { 'content-type': 'application/pem-certificate-chain' };
const ONE = encodePem('CERTIFICATE', Buffer.from('any bytes'));

let ca: ScriptedCa;
let acme: AcmeClient;
let account: AcmeAccount;
beforeEach(async () => {
  ca = await openScriptedCa();
  acme = createAcmeClient({ clock: systemClock(), callTimeoutMs: 2_000 });
  const keyPem = await acme.makeKey('ecdsa-p256');
  account = { server: ca.server, url: ca.url('/account/1'), keyPem };
});
afterEach(async () => {
  acme.close();
  await ca.close();
});

/** Whatever is answered, the call ends with an error that says what was being done, and no key. */
async function failure(reply: Reply | 'hang' | 'reset'): Promise<Error> {
  ca.on('/it', () => reply);
  const error = await acme.readOrder(account, ca.url('/it'), signal).then(
    () => new Error('it was taken'),
    (reason: unknown) => (reason instanceof Error ? reason : new Error('no error was thrown')),
  );
  expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('PRIVATE');
  return error;
}

describe('an answer that is none', () => {
  test.each([
    { when: 'empty', body: '' },
    { when: 'HTML', body: '<html>' },
    { when: 'a list', body: [] },
    { when: 'a text', body: '"valid"' },
    { when: 'null', body: 'null' },
    { when: 'nested without end', body: '['.repeat(60_000) },
    { when: 'other bytes', body: '\u0000\ufffd' },
  ])('$when', async ({ body }) => {
    const error = await failure({ body });
    expect(error.message).toMatch(/^read an order at http.*: not (JSON|a JSON object)$/);
    expect(error).not.toBeInstanceOf(AcmeProblem);
  });

  test('more than its bound', async () => {
    const error = await failure({ body: { ...order(), more: 'x'.repeat(70_000) } });
    expect(error.message).toContain('more than 65536 bytes');
  });

  test('nothing at all, within the time of a call', async () => {
    const error = await failure('hang');
    expect(error.message).toContain('no answer within 2 s');
  });

  test('a connection that is cut', async () => {
    expect((await failure('reset')).message).toMatch(/^read an order at /);
  });

  test('a body that never ends, slowly', async () => {
    ca.on('/it', (_, response) => {
      response.writeHead(200, { 'content-length': '50' });
      response.write('{');
      return 'hang';
    });
    const reading = acme.readOrder(account, ca.url('/it'), signal);
    await expect(reading).rejects.toThrow('no answer within 2 s');
  });

  test.each([301, 302, 307, 308])('a redirect (%i) is not followed', async (status) => {
    const headers = { location: ca.url('/elsewhere') };
    expect((await failure({ status, headers })).message).toContain('not followed');
    expect(ca.asked.map((asked) => asked.path)).not.toContain('/elsewhere');
  });

  test('giving up ends it at once, with the reason', async () => {
    ca.on('/it', () => 'hang');
    const giving = new AbortController();
    const reading = acme.readOrder(account, ca.url('/it'), giving.signal);
    giving.abort(new Error('dom stops'));
    await expect(reading).rejects.toThrow('dom stops');
  });
});

describe('an order that does not make sense', () => {
  test.each([
    { when: 'another state', change: { status: 'lost' }, says: 'its status is lost' },
    { when: 'no state', change: { status: undefined }, says: 'it has no field status' },
    { when: 'a state that is a number', change: { status: 1 }, says: 'status is no text' },
    { when: 'no finalize', change: { finalize: undefined }, says: 'no field finalize' },
    { when: 'plain http', change: { finalize: 'http://ca.test/f' }, says: 'is no https URL' },
    { when: 'a file', change: { finalize: 'file:///etc/passwd' }, says: 'is no https URL' },
    { when: 'no URL', change: { finalize: '/finalize' }, says: 'is no URL' },
    { when: 'a password', change: { finalize: 'https://a:b@ca.test/' }, says: 'with a password' },
    {
      when: 'a long URL',
      change: { finalize: `https://ca.test/${'x'.repeat(3_000)}` },
      says: 'too long',
    },
    {
      when: 'another machine on loopback',
      change: { finalize: 'http://127.0.0.2:1/f' },
      says: 'no https',
    },
    { when: 'no certificate', change: { status: 'valid' }, says: 'has no certificate' },
    { when: 'authorizations that are none', change: { authorizations: 'x' }, says: 'is no list' },
    { when: 'an authorization that is none', change: { authorizations: [{}] }, says: 'is no URL' },
    {
      when: 'too many of them',
      change: { authorizations: Array.from({ length: 1_001 }, () => 'https://c/') },
      says: 'too many items',
    },
    {
      when: 'an address',
      change: { identifiers: [{ type: 'ip', value: '::1' }] },
      says: 'no name',
    },
    {
      when: 'a path',
      change: { identifiers: [{ type: 'dns', value: '../a' }] },
      says: 'is no name',
    },
    { when: 'a time that is none', change: { expires: 'soon' }, says: 'expires is no time' },
    { when: 'no such month', change: { expires: '2026-13-01T00:00:00Z' }, says: 'is no time' },
    { when: 'an error that is none', change: { error: 'x' }, says: 'not a JSON object' },
  ])('$when', async ({ change, says }) => {
    expect((await failure({ body: { ...order(), ...change } })).message).toContain(says);
  });

  test('a new one that is nowhere', async () => {
    const place = (): Promise<unknown> => acme.createOrder(account, { names: ['a.test'] }, signal);
    ca.on('/new-order', { status: 201, body: order() });
    await expect(place()).rejects.toThrow('does not say where it is');
    ca.on('/new-order', { status: 201, headers: { location: 'ftp://ca.test/1' }, body: order() });
    await expect(place()).rejects.toThrow('is no https URL');
  });
});

describe('an authorization that does not make sense', () => {
  const challenge = { type: 'dns-01', url: 'https://ca.test/c', token: 'abc', status: 'pending' };
  const authorization = {
    status: 'pending',
    identifier: { type: 'dns', value: 'A.example.com' },
    challenges: [challenge, { type: 'unheard-of-01', url: 7 }],
  };
  const read = (body: object): Promise<unknown> => {
    ca.on('/it', { body });
    return acme.readAuthorization(account, ca.url('/it'), signal);
  };

  test('challenges of other types are left out', async () => {
    expect(await read(authorization)).toEqual({
      url: ca.url('/it'),
      name: 'a.example.com',
      wildcard: false,
      status: 'pending',
      challenges: [challenge],
    });
  });

  test.each([
    { token: '../../etc/passwd', says: 'not base64url' },
    { token: 'a/b', says: 'not base64url' },
    { token: 'a\r\nb', says: 'not base64url' },
    { token: '', says: 'not base64url' },
    { token: 'a'.repeat(300), says: 'too long' },
    { token: undefined, says: 'no field token' },
  ])('a token that could lead elsewhere: $token', async ({ token, says }) => {
    const challenges = [{ ...challenge, token }];
    await expect(read({ ...authorization, challenges })).rejects.toThrow(says);
  });
});

describe('a refusal', () => {
  const problem = { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many' };

  test.each([
    {
      when: 'a problem document, with a time',
      reply: { status: 429, headers: { 'retry-after': '90' }, body: problem },
      document: { type: 'rateLimited', detail: 'too many', status: 429 },
      retryAfterMs: 90_000,
    },
    {
      when: 'a page of HTML',
      reply: { status: 503, headers: { 'retry-after': '5' }, body: '<h1>busy</h1>' },
      document: { type: 'serverInternal', status: 503 },
      retryAfterMs: 5_000,
    },
    {
      when: 'nothing, and too many requests',
      reply: { status: 429 },
      document: { type: 'rateLimited', status: 429 },
      retryAfterMs: undefined,
    },
    {
      when: 'a path that is not there',
      reply: { status: 404, body: 'no' },
      document: { type: 'about:blank', status: 404 },
      retryAfterMs: undefined,
    },
    {
      when: 'another kind of problem',
      reply: { status: 400, body: { type: 'urn:example:odd', title: 'Odd' } },
      document: { type: 'urn:example:odd', detail: 'Odd', status: 400 },
      retryAfterMs: undefined,
    },
    {
      when: 'words that would draw on a terminal',
      reply: { status: 400, body: { ...problem, detail: '\u001b[31mred\r\n\u202eback' } },
      document: { type: 'rateLimited', detail: '[31mred back' },
      retryAfterMs: undefined,
    },
    {
      when: 'a document without a type',
      reply: { status: 429, body: { detail: 'slow down' } },
      document: { type: 'rateLimited', detail: 'slow down', status: 429 },
      retryAfterMs: undefined,
    },
    {
      when: 'a document whose fields are none',
      reply: { status: 403, body: { type: 7, detail: [] } },
      document: { type: 'about:blank', status: 403 },
      retryAfterMs: undefined,
    },
  ])('$when', async ({ reply, document, retryAfterMs }) => {
    const error = await failure(reply);
    expect(error).toBeInstanceOf(AcmeProblem);
    expect(error).toMatchObject({ document, retryAfterMs });
  });

  test('names each name that it is about (RFC 8555 §6.7.1)', async () => {
    const identifier = { type: 'dns', value: 'a.example.com' };
    const type = 'urn:ietf:params:acme:error:caa';
    const subproblems = [{ type, detail: 'forbidden', identifier }];
    const error = await failure({ status: 403, body: { ...problem, subproblems } });
    expect(error).toMatchObject({
      document: { subproblems: [{ type: 'caa', detail: 'forbidden', name: 'a.example.com' }] },
    });
  });

  test('is cut when it is long', async () => {
    const error = await failure({ status: 400, body: { ...problem, detail: 'x'.repeat(9_000) } });
    expect(error.message.length).toBeLessThan(1_100);
  });
});

describe('a chain', () => {
  const download = (): Promise<readonly string[]> => acme.download(account, ca.url('/c'), signal);

  test('is taken without what stands between its certificates', async () => {
    ca.on('/c', { headers: CHAIN, body: `subject=/CN=x\n${ONE}\r\njunk ${ONE}` });
    expect(await download()).toEqual([ONE + ONE]);
  });

  test('comes with its alternates, each once', async () => {
    const link = ['</d>; rel="alternate"', '</c>; rel="alternate", </d>; rel="alternate"'];
    ca.on('/c', { headers: { ...CHAIN, link }, body: ONE });
    ca.on('/d', { headers: CHAIN, body: ONE + ONE });
    expect(await download()).toEqual([ONE, ONE + ONE]);
    expect(ca.asked.at(-1)?.headers['accept']).toBe('application/pem-certificate-chain');
  });

  test('comes without alternates that the CA refuses, or that are none', async () => {
    const link = ['</d>; rel="alternate"', '</e>; rel="alternate"', '</f>; rel="alternate"'];
    ca.on('/c', { headers: { ...CHAIN, link }, body: ONE });
    ca.on('/d', { status: 404, body: {} });
    ca.on('/e', { headers: CHAIN, body: 'x' });
    ca.on('/f', { headers: CHAIN, body: ONE + ONE });
    expect(await download()).toEqual([ONE, ONE + ONE]);
  });

  test.each([
    { when: 'another type', reply: { body: ONE }, says: 'nothing for a chain' },
    { when: 'nothing in it', reply: { headers: CHAIN, body: 'x' }, says: 'no certificate' },
    {
      when: 'a certificate too many',
      reply: { headers: CHAIN, body: ONE.repeat(17) },
      says: 'more than 16',
    },
    {
      when: 'a mebibyte and more',
      reply: { headers: CHAIN, body: ONE.padEnd(1_048_577) },
      says: 'more than 1048576 bytes',
    },
    {
      when: 'an alternate of a strange kind',
      reply: { headers: { ...CHAIN, link: '<gopher://x>; rel=alternate' }, body: ONE },
      says: 'is no https URL',
    },
  ])('with $when is not', async ({ reply, says }) => {
    ca.on('/c', reply);
    await expect(download()).rejects.toThrow(says);
  });
});

describe('a directory', () => {
  const read = (change: object): Promise<unknown> => {
    ca.on('/dir', { body: { ...directoryAt(ca.url), ...change } });
    return acme.directory(ca.server, signal);
  };

  test('says what it offers', async () => {
    expect(await read({})).toEqual({
      termsOfService: 'https://ca.test/terms',
      caaIdentities: ['ca.test'],
      externalAccountRequired: false,
      profiles: { shortlived: 'six days' },
      hasRenewalInfo: true,
    });
  });

  test('may leave out all that is not needed', async () => {
    expect(await read({ meta: undefined, renewalInfo: undefined })).toEqual({
      caaIdentities: [],
      externalAccountRequired: false,
      profiles: {},
      hasRenewalInfo: false,
    });
  });

  test('loses what is no name and no page', async () => {
    const profiles = { ok: 'x', '../..': 'y', ['z'.repeat(99)]: 'z' };
    const meta = { caaIdentities: ['a b', 7, 'ca.test'], termsOfService: 'javascript:1', profiles };
    const directory = await read({ meta });
    expect(directory).toMatchObject({ caaIdentities: ['ca.test'], profiles: { ok: 'x' } });
    expect(directory).not.toHaveProperty('termsOfService');
  });

  test.each([
    { when: 'no newOrder', change: { newOrder: undefined }, says: 'no field newOrder' },
    { when: 'plain http', change: { newNonce: 'http://ca.test/' }, says: 'is no https URL' },
    { when: 'meta that is none', change: { meta: 7 }, says: 'not a JSON object' },
  ])('with $when is refused', async ({ change, says }) => {
    await expect(read(change)).rejects.toThrow(says);
  });

  test.each([
    { directory: 'http://ca.test/dir' },
    { directory: 'http://10.0.0.1/dir' },
    { directory: 'http://127.0.0.1.nip.io/dir' },
    { directory: 'ftp://127.0.0.1/dir' },
    { directory: 'https://user:secret@ca.test/dir' },
  ])('is not even asked at $directory', async ({ directory }) => {
    const reading = acme.directory({ directory }, signal);
    await expect(reading).rejects.toThrow("the directory's URL is");
    await expect(reading).rejects.not.toThrow('secret');
  });
});

function order(): Readonly<Record<string, unknown>> {
  return {
    status: 'pending',
    identifiers: [{ type: 'dns', value: 'a.example.com' }],
    authorizations: [ca.url('/authz/1')],
    finalize: ca.url('/finalize/1'),
  };
}
