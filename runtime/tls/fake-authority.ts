import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { RequestError } from '../request-error.ts';
import {
  type CertificateAuthority,
  type Identity,
  type IssuedCertificate,
  identityUri,
  type KeyType,
  type SignedCertificate,
} from './authority.ts';
import { caHashOf, certificateFingerprint, decodePem, encodePem } from './pem.ts';

/** What a fake certificate holds, as JSON inside its PEM block. */
export interface FakeCertificate {
  readonly commonName: string;
  readonly names: readonly string[];
  readonly uris: readonly string[];
  readonly usage: 'server' | 'client';
  /** Made from the private key. */
  readonly publicKey: string;
  /** The public key of the CA that signed. */
  readonly issuer: string;
  /** Its common name; absent: b8s's own CA. */
  readonly issuerName?: string;
  /** Absent: ecdsa-p256. */
  readonly keyType?: KeyType;
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A node's request, as JSON; a real one would be PKCS #10. */
export interface FakeRequest {
  readonly publicKey: string;
  readonly strength: 'strong' | 'weak';
  /** The public key that the request's signature fits. */
  readonly signedBy: string;
}

/**
 * A certificate authority for the simulation: no cryptography, so no secrets and no threads, and
 * the same random numbers give the same certificates.
 */
export function fakeAuthority(ports: {
  readonly clock: Clock;
  readonly random: Random;
  /** Left out: one of its own. Several doms sign with one. */
  readonly ca?: FakeCa;
}): CertificateAuthority {
  const { clock, random, ca = fakeCa(ports) } = ports;
  const { caPem, publicKey: issuer, expiresMs } = ca;

  function sign(leaf: FakeLeaf, lifetimeMs: number): SignedCertificate {
    const nowMs = clock.nowMs();
    const certificate: FakeCertificate = {
      ...leaf,
      issuer,
      serialNumber: fakeSerialNumber(random),
      notBeforeMs: nowMs - CLOCK_SKEW_MS,
      notAfterMs: Math.min(nowMs + lifetimeMs, expiresMs),
    };
    const chainPem = encodeFakeCertificate(certificate);
    const { notBeforeMs, notAfterMs } = certificate;
    const fingerprint = certificateFingerprint(chainPem);
    return {
      chainPem,
      notBeforeMs,
      notAfterMs,
      fingerprint,
      serialNumber: certificate.serialNumber,
    };
  }

  function issue(leaf: Omit<FakeLeaf, 'publicKey'>, lifetimeMs: number): IssuedCertificate {
    const { keyPem, publicKey } = fakeKey(random);
    return { ...sign({ ...leaf, publicKey }, lifetimeMs), keyPem };
  }

  return {
    caPem,
    caHash: caHashOf(caPem),
    async issueServer({ names, keyType, lifetimeMs }) {
      const [commonName] = names;
      if (commonName === undefined) throw new Error('issue a server certificate: no names');
      return issue({ commonName, names, uris: [], usage: 'server', keyType }, lifetimeMs);
    },
    async issueClient({ identity, lifetimeMs }) {
      return issue(clientLeaf(identity), lifetimeMs);
    },
    async signRequest({ csr, identity, lifetimeMs }) {
      return sign({ ...clientLeaf(identity), publicKey: checkRequest(csr) }, lifetimeMs);
    },
  };
}

/** What a CA signs with. */
export interface FakeCa {
  readonly caPem: string;
  readonly publicKey: string;
  readonly expiresMs: number;
}

export function fakeCa({ clock, random }: { clock: Clock; random: Random }): FakeCa {
  const { publicKey } = fakeKey(random);
  const expiresMs = clock.nowMs() + CA_LIFETIME_MS;
  const caPem = encodeFakeCertificate({
    ...{ commonName: 'b8s', names: [], uris: [], usage: 'server' },
    ...{ publicKey, issuer: publicKey, serialNumber: fakeSerialNumber(random) },
    ...{ notBeforeMs: clock.nowMs() - CLOCK_SKEW_MS, notAfterMs: expiresMs },
  });
  return { caPem, publicKey, expiresMs };
}

/** A key that is none, for issued certificates and for nodes that join. */
export function fakeKey(random: Random): { readonly keyPem: string; readonly publicKey: string } {
  const keyPem = encodePem('PRIVATE KEY', random.bytes(16));
  return { keyPem, publicKey: fakePublicKey(keyPem) };
}

export function fakePublicKey(keyPem: string): string {
  return createHash('sha256').update(keyPem).digest('hex').slice(0, 32);
}

export function encodeFakeRequest(request: FakeRequest): Uint8Array {
  return Buffer.from(JSON.stringify(request));
}

/** The first certificate of a chain. Throws for what is not one of ours. */
export function parseFakeCertificate(pem: string): FakeCertificate {
  const [json] = decodePem('CERTIFICATE', pem);
  if (json === undefined) throw new Error('read a certificate: the text holds no PEM block');
  return JSON.parse(Buffer.from(json).toString('utf8')) as FakeCertificate;
}

type FakeLeaf = Pick<
  FakeCertificate,
  'commonName' | 'names' | 'uris' | 'usage' | 'publicKey' | 'keyType'
>;

const CA_LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000;
const CLOCK_SKEW_MS = 5 * 60 * 1000;

function clientLeaf(identity: Identity): Omit<FakeLeaf, 'publicKey'> {
  const uris = [identityUri(identity)];
  return { commonName: identity.name, names: [], uris, usage: 'client' };
}

function checkRequest(csr: Uint8Array): string {
  const request = parseRequest(csr);
  if (request === undefined) throw refusal('is not PKCS #10 in DER');
  if (request.strength !== 'strong') throw refusal('has a weak or unknown key');
  if (request.signedBy !== request.publicKey) throw refusal('is not signed with its own key');
  return request.publicKey;
}

function parseRequest(csr: Uint8Array): FakeRequest | undefined {
  try {
    return JSON.parse(Buffer.from(csr).toString('utf8')) as FakeRequest;
  } catch {
    return undefined;
  }
}

function refusal(problem: string): RequestError {
  return new RequestError('INVALID_ARGUMENT', `The certificate request ${problem}`);
}

export function encodeFakeCertificate(certificate: FakeCertificate): string {
  return encodePem('CERTIFICATE', Buffer.from(JSON.stringify(certificate)));
}

/** Positive and 16 bytes, as a real one is; hex. */
export function fakeSerialNumber(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
