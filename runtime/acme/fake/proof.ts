import { createHash } from 'node:crypto';
import type { ChallengeType } from '../acme.ts';

/** What a fake CA looks for. */
export interface AcmeProof {
  readonly type: ChallengeType;
  /** Without `*.`. */
  readonly name: string;
  readonly wildcard: boolean;
  readonly token: string;
  /** The body under `/.well-known/acme-challenge/<token>` (RFC 8555 §8.3). */
  readonly keyAuthorization: string;
  /** SHA-256 of it, hex: in the certificate for tls-alpn-01 (RFC 8737 §3). */
  readonly digest: string;
  /** SHA-256 of it, base64url: the TXT record's value (RFC 8555 §8.4). */
  readonly txt: string;
}

/** Looks as the CA would, from outside. Resolves to what is wrong; undefined: it is there. */
export type ValidateProof = (proof: AcmeProof) => Promise<string | undefined>;

export function acmeProof(
  challenge: Pick<AcmeProof, 'type' | 'name' | 'wildcard' | 'token'>,
  accountKeyPem: string,
): AcmeProof {
  const keyAuthorization = `${challenge.token}.${fakeThumbprint(accountKeyPem)}`;
  const digest = createHash('sha256').update(keyAuthorization).digest();
  return {
    ...challenge,
    keyAuthorization,
    digest: digest.toString('hex'),
    txt: digest.toString('base64url'),
  };
}

/** 43 characters of base64url, as a real one has (RFC 7638). */
export function fakeThumbprint(keyPem: string): string {
  return createHash('sha256').update(keyPem).digest('base64url');
}
