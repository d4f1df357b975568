import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodePem } from '../../tls/pem.ts';
import { certificateReader, dnsNames } from './certificate-reader.ts';
import { x509 } from './x509.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NOT_BEFORE_MS = Date.UTC(2026, 0, 1);
const NOT_AFTER_MS = Date.UTC(2026, 3, 1);

interface Signed {
  readonly pem: string;
  readonly keyPem: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

let root: Signed;
let intermediate: Signed;
let leaf: Signed;
let selfSigned: Signed;
beforeAll(async () => {
  root = await sign({ name: 'CN=Root X1', isCa: true });
  intermediate = await sign({ name: 'CN=R3, O=Test', isCa: true, by: root });
  leaf = await sign({ name: '', names: ['b.Example.com', '*.example.com'], by: intermediate });
  selfSigned = await sign({ name: 'CN=Alone', names: ['alone.test'] });
});

describe('a chain', () => {
  test('says what stands in it', () => {
    const facts = certificateReader.read(leaf.pem + intermediate.pem, leaf.keyPem);
    expect(facts).toEqual({
      names: ['*.example.com', 'b.example.com'],
      notBeforeMs: NOT_BEFORE_MS,
      notAfterMs: NOT_AFTER_MS,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      serialNumber: leaf.certificate.serialNumber,
      keyType: 'ecdsa-p256',
      issuers: ['R3', 'Root X1'],
      problems: [],
    });
  });

  test('may hold the root too, and may be a certificate alone', () => {
    const whole = certificateReader.read(leaf.pem + intermediate.pem + root.pem);
    expect(whole).toMatchObject({ issuers: ['R3', 'Root X1'], problems: [] });
    expect(certificateReader.read(selfSigned.pem, selfSigned.keyPem)).toMatchObject({
      names: ['alone.test'],
      issuers: [],
      problems: [],
    });
  });

  test('in the wrong order is said to be so', () => {
    const { problems } = certificateReader.read(leaf.pem + root.pem + intermediate.pem);
    expect(problems).toEqual([
      'certificate 2 of the chain (Root X1) did not sign the one before it; put them in order',
      'certificate 3 of the chain (R3) did not sign the one before it',
    ]);
  });

  test('of strangers is said to be so', () => {
    const { problems } = certificateReader.read(leaf.pem + selfSigned.pem);
    expect(problems).toEqual(['certificate 2 of the chain (Alone) did not sign the one before it']);
  });

  test('by another key under the same name is not taken for signed', async () => {
    const impostor = await sign({ name: 'CN=R3, O=Test', isCa: true, by: root });
    const { problems } = certificateReader.read(leaf.pem + impostor.pem);
    expect(problems).toEqual(['certificate 2 of the chain (R3) did not sign the one before it']);
  });

  test('over a certificate that is not of a CA is not taken for signed', async () => {
    const forged = await sign({ name: '', names: ['bank.test'], by: leaf });
    expect(certificateReader.read(forged.pem + leaf.pem).problems).toHaveLength(1);
  });
});

describe('a key', () => {
  test('of another certificate is said to be so', () => {
    expect(certificateReader.read(leaf.pem, selfSigned.keyPem).problems).toEqual([
      'the private key does not belong to the certificate',
    ]);
  });

  test.each([
    { when: 'none', keyPem: 'hunter2' },
    { when: 'garbage in PEM', keyPem: encodePem('PRIVATE KEY', Buffer.from('hunter2')) },
    {
      when: 'with a password',
      keyPem: generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
    },
  ])('that is $when is a problem, and is not quoted', ({ keyPem }) => {
    const { problems } = certificateReader.read(leaf.pem, keyPem);
    expect(problems).toEqual([
      'the private key cannot be read: it must be PEM, without a password',
    ]);
  });

  test.each([
    { bits: 1024, keyType: 'other', problems: [expect.stringContaining('1024 bits')] },
    { bits: 2048, keyType: 'rsa-2048', problems: [] },
    { bits: 3072, keyType: 'other', problems: [] },
  ])('of RSA with $bits bits', async ({ bits, keyType, problems }) => {
    const algorithm = {
      ...{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: bits },
      publicExponent: Uint8Array.of(1, 0, 1),
    };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const { pem } = await sign({ name: 'CN=rsa', names: ['rsa.test'], keys });
    expect(certificateReader.read(pem)).toMatchObject({ keyType, problems });
  });
});

describe('what is no certificate', () => {
  test.each([
    { when: 'nothing', pem: '' },
    { when: 'words', pem: 'hello' },
    { when: 'PEM of something else', pem: encodePem('PRIVATE KEY', Buffer.from('x')) },
    { when: 'garbage in PEM', pem: encodePem('CERTIFICATE', Buffer.from('garbage')) },
    { when: 'nothing in PEM', pem: encodePem('CERTIFICATE', Buffer.alloc(0)) },
    { when: 'too long', pem: 'x'.repeat(2_000_000) },
  ])('$when is refused', ({ pem }) => {
    expect(() => certificateReader.read(pem)).toThrow(/^read a certificate: /);
  });

  test('a chain without end is refused', () => {
    expect(() => certificateReader.read(leaf.pem.repeat(17))).toThrow('more than 16');
  });

  test('any byte of a chain may be another one', () => {
    const der = Buffer.from(leaf.certificate.rawData);
    for (let index = 0; index < der.length; index += 1) {
      const broken = Buffer.from(der);
      broken[index] = (broken[index] ?? 0) ^ 0x55;
      const read = (): unknown =>
        certificateReader.read(encodePem('CERTIFICATE', broken) + intermediate.pem, leaf.keyPem);
      try {
        expect(read()).toMatchObject({ problems: expect.anything() });
      } catch (error) {
        expect(String(error)).toContain('read a certificate');
      }
    }
  });
});

describe('alternative names in the words of Node', () => {
  test.each([
    { text: undefined, names: [] },
    { text: 'DNS:B.test, DNS:a.test', names: ['a.test', 'b.test'] },
    { text: 'IP Address:0:0:0:0:0:0:0:1, DNS:a.test, email:x@y.test', names: ['a.test'] },
    { text: 'DNS:"a.test\\u002c DNS:bank.test"', names: [] },
    { text: 'URI:"http://x/\\u002c DNS:bank.test", DNS:a.test', names: ['a.test'] },
    { text: 'DNS:a b.test, DNS:', names: [] },
  ])('$text', ({ text, names }) => {
    expect(dnsNames(text)).toEqual(names);
  });

  test('a name that would pass for two is none', async () => {
    const { pem } = await sign({ name: 'CN=x', names: ['a.test, DNS:bank.test', 'c.test'] });
    expect(certificateReader.read(pem).names).toEqual(['c.test']);
  });
});

async function sign(given: {
  readonly name: string;
  readonly names?: readonly string[];
  readonly isCa?: boolean;
  readonly by?: Signed;
  readonly keys?: webcrypto.CryptoKeyPair;
}): Promise<Signed> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const keys = given.keys ?? (await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']));
  const names = (given.names ?? []).map((value) => ({ type: 'dns', value }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: given.name,
    issuer: given.by?.certificate.subject ?? given.name,
    notBefore: new Date(NOT_BEFORE_MS),
    notAfter: new Date(NOT_AFTER_MS),
    signingAlgorithm: given.keys === undefined ? P256 : { ...keys.privateKey.algorithm },
    publicKey: keys.publicKey,
    signingKey: given.by?.keys.privateKey ?? keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(given.isCa === true),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    pem: encodePem('CERTIFICATE', new Uint8Array(certificate.rawData)),
    keyPem: encodePem('PRIVATE KEY', new Uint8Array(pkcs8)),
    certificate,
    keys,
  };
}
