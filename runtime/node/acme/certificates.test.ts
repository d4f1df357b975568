import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AcmeAccount, RenewalInfo } from '../../acme/acme.ts';
import { encodePem } from '../../tls/pem.ts';
import { systemClock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import { createAuthority, generateCa } from '../tls/authority.ts';
import { type AcmeClient, createAcmeClient } from './acme.ts';
import { certificateId } from './certificate-id.ts';
import { certificateRequest } from './certificate-request.ts';
import { readSigningKey } from './jws.ts';
import { openScriptedCa, type ScriptedCa } from './scripted-ca.fixture.ts';

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();
const clock = systemClock();
const folder = mkdtempSync(join(tmpdir(), 'b8s-acme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Its authority key identifier and its serial number are those of the example in RFC 9773 §4.1. */
let example: string;
let chainPem: string;
let acme: AcmeClient;
beforeAll(async () => {
  example = openssl('example', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', '/dev/null', '-subj', '/CN=example', '-days', '1'],
    ...['-set_serial', '0x87654321', '-config', 'example.cnf'],
  ]);
  const random = systemRandom();
  const ca = await generateCa({ clock, random, name: 'test' });
  const authority = await createAuthority({ ...ca, clock, random });
  const request = { names: ['a.test'], keyType: 'ecdsa-p256', lifetimeMs: HOUR_MS } as const;
  ({ chainPem } = await authority.issueServer(request));
});

describe('the name of a certificate (RFC 9773 §4.1)', () => {
  test('is that of the example', () => {
    expect(certificateId(example)).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });

  test('holds the serial number as other programs read it', () => {
    const [, serial = ''] = (certificateId(chainPem) ?? '').split('.');
    const { serialNumber } = new X509Certificate(chainPem);
    expect(Buffer.from(serial, 'base64url').toString('hex')).toBe(serialNumber.toLowerCase());
  });

  test('is none without an authority key identifier', () => {
    const bare = openssl('bare', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', '/dev/null', '-subj', '/CN=bare', '-days', '1', '-config', 'bare.cnf'],
    ]);
    expect(certificateId(bare)).toBeUndefined();
  });
});

describe('a certificate request', () => {
  beforeEach(() => {
    acme = createAcmeClient({ clock });
  });
  afterEach(() => acme.close());

  test.each([{ keyType: 'ecdsa-p256' }, { keyType: 'rsa-2048' }] as const)(
    'with a key of $keyType: openssl verifies it and reads the names',
    async ({ keyType }) => {
      const names = ['*.example.com', 'example.com', 'a.b.example.com'];
      const request = await certificateRequest(names, await acme.makeKey(keyType));
      const text = openssl(
        'csr',
        ['req', '-verify', '-noout', '-text', '-in', 'csr.pem'],
        encodePem('CERTIFICATE REQUEST', request),
      );
      expect(text).toContain('DNS:*.example.com, DNS:example.com, DNS:a.b.example.com');
      expect(text).toMatch(/Subject: *\n/);
      expect(text).toContain(keyType === 'rsa-2048' ? '(2048 bit)' : 'NIST CURVE: P-256');
      expect(text).toContain(
        keyType === 'rsa-2048' ? 'sha256WithRSAEncryption' : 'ecdsa-with-SHA256',
      );
    },
  );

  test('without a key is none, and quotes nothing', async () => {
    await expect(certificateRequest(['a.test'], 'hunter2')).rejects.toThrow(/^(?!.*hunter2)/);
  });
});

describe('what a CA says of renewal (RFC 9773 §4)', () => {
  let ca: ScriptedCa;
  let account: AcmeAccount;
  const suggestedWindow = { start: '2026-12-01T00:00:00Z', end: '2026-12-02T00:00:00+01:00' };
  beforeEach(async () => {
    ca = await openScriptedCa();
    acme = createAcmeClient({ clock });
    const keyPem = await acme.makeKey('ecdsa-p256');
    account = { server: ca.server, url: ca.url('/account/1'), keyPem };
  });
  afterEach(async () => {
    acme.close();
    await ca.close();
  });

  async function ask(retryAfter?: string, body: object = { suggestedWindow }) {
    const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    ca.on(`/renewal/${certificateId(chainPem)}`, { headers, body });
    return (await acme.renewalInfo(ca.server, chainPem, signal)) as RenewalInfo;
  }

  test('is asked without an account, and read', async () => {
    const explanationURL = 'https://ca.test/why';
    expect(await ask('21600', { suggestedWindow, explanationURL })).toEqual({
      startMs: Date.UTC(2026, 11, 1),
      endMs: Date.UTC(2026, 11, 1, 23),
      explanationUrl: explanationURL,
      retryAfterMs: 6 * HOUR_MS,
    });
    expect(ca.asked.at(-1)).toMatchObject({ method: 'GET', header: {} });
  });

  test.each([
    { retryAfter: '0', expected: 60_000 },
    { retryAfter: '61', expected: 61_000 },
    { retryAfter: '9999999', expected: 24 * HOUR_MS },
    { retryAfter: undefined, expected: 6 * HOUR_MS },
    { retryAfter: 'whenever', expected: 6 * HOUR_MS },
  ])('holds for Retry-After $retryAfter, within bounds', async ({ retryAfter, expected }) => {
    expect((await ask(retryAfter)).retryAfterMs).toBe(expected);
  });

  test.each([
    { when: 'no window', body: {} },
    { when: 'a window that ends as it begins', body: window('2026-12-01T00:00:00Z') },
    { when: 'a window that ends before it begins', body: window('2026-11-01T00:00:00Z') },
    {
      when: 'a window without an end',
      body: { suggestedWindow: { start: suggestedWindow.start } },
    },
  ])('with $when is as no answer', async ({ body }) => {
    await expect(ask('60', body)).rejects.toThrow(/^ask when to renew at .*suggestedWindow/);
  });

  test('is nothing for a certificate that the CA does not know', async () => {
    expect(await acme.renewalInfo(ca.server, chainPem, signal)).toBeUndefined();
  });

  test('names the certificate that an order takes over from (§5)', async () => {
    const order = {
      status: 'pending',
      identifiers: [{ type: 'dns', value: 'a.test' }],
      finalize: ca.url('/finalize'),
    };
    ca.on('/new-order', { status: 201, headers: { location: '/order/1' }, body: order });
    await acme.createOrder(account, { names: ['a.test'], replacesPem: chainPem }, signal);
    expect(ca.asked.at(-1)?.payload).toMatchObject({ replaces: certificateId(chainPem) });
  });

  test('a certificate is revoked by its DER and a number (RFC 8555 §7.6)', async () => {
    ca.on('/revoke', {});
    await acme.revoke(account, { chainPem, reason: 'cessationOfOperation' }, signal);
    const { raw } = new X509Certificate(chainPem);
    expect(ca.asked.at(-1)?.payload).toEqual({ certificate: raw.toString('base64url'), reason: 5 });
    const type = 'urn:ietf:params:acme:error:alreadyRevoked';
    ca.on('/revoke', { status: 400, body: { type, detail: 'twice' } });
    await acme.revoke(account, { chainPem, reason: 'unspecified' }, signal);
  });

  test('the key that signs instead of the account is told itself (§6.2)', async () => {
    ca.on('/revoke', {});
    const keyPem = await acme.makeKey('ecdsa-p256');
    await acme.revoke(account, { chainPem, reason: 'keyCompromise', keyPem }, signal);
    const header = ca.asked.at(-1)?.header;
    expect(header).toMatchObject({ jwk: readSigningKey(keyPem).jwk });
    expect(header).not.toHaveProperty('kid');
  });

  function window(end: string): object {
    return { suggestedWindow: { start: '2026-12-01T00:00:00Z', end } };
  }
});

/** Runs it in the folder of this test, where `<name>.pem` holds the input. */
function openssl(name: string, args: readonly string[], input = ''): string {
  writeFileSync(join(folder, `${name}.pem`), input);
  const start = '[req]\ndistinguished_name=dn\nx509_extensions=e\n[dn]\n[e]\n';
  const keyId = '69885b6b87464041e1b37b847ba0ae2cde01c8d4';
  const extension = `subjectKeyIdentifier=${keyId}\nauthorityKeyIdentifier=keyid:always\n`;
  writeFileSync(join(folder, 'example.cnf'), start + extension);
  const none = 'subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n';
  writeFileSync(join(folder, 'bare.cnf'), start + none);
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: [...stdio] });
}
