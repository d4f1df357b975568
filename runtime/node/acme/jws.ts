import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { ExternalAccount } from '../../acme/acme.ts';

/** A JSON Web Signature in the one form that ACME takes (RFC 8555 §6.2, RFC 7515 §7.2.2). */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** An account's key, ready to sign. Holds a secret. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: 'ES256' | 'RS256';
  /** Its public half (RFC 7517). */
  readonly jwk: Readonly<Record<string, string>>;
}

/** Throws without a word of the key when it is none that ACME takes. */
export function readSigningKey(keyPem: string): SigningKey {
  const key = readPrivateKey(keyPem);
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const { kty, crv, x, y, n, e } = jwk as Readonly<Record<string, string>>;
  if (kty === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined)
    return { key, algorithm: 'ES256', jwk: { crv, kty, x, y } };
  if (kty === 'RSA' && n !== undefined && e !== undefined)
    return { key, algorithm: 'RS256', jwk: { e, kty, n } };
  throw new Error('read the private key of an account: it is neither ECDSA P-256 nor RSA');
}

/** RFC 7638 §3: of the members that are needed, in the order of their names. */
export function thumbprint({ jwk }: Pick<SigningKey, 'jwk'>): string {
  return createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
}

/** `payload` left out: POST-as-GET (RFC 8555 §6.3). */
export function signJws(
  { key, algorithm }: SigningKey,
  header: Readonly<Record<string, unknown>>,
  payload?: object,
): Jws {
  const signed = parts({ alg: algorithm, ...header }, payload);
  // Two numbers side by side, not DER (RFC 7518 §3.4); of no meaning for RSA.
  const options = { key, dsaEncoding: 'ieee-p1363' } as const;
  const signature = sign('sha256', signingInput(signed), options).toString('base64url');
  return { ...signed, signature };
}

/** The account's key, signed with the MAC key of an account elsewhere (RFC 8555 §7.3.4). */
export function bindExternally(
  account: SigningKey,
  external: ExternalAccount,
  newAccountUrl: string,
): Jws {
  const macKey = Buffer.from(external.macKey.trim(), 'base64url');
  if (macKey.length === 0) throw new Error('bind an external account: its MAC key is empty');
  const header = { alg: 'HS256', kid: external.keyId, url: newAccountUrl };
  const signed = parts(header, account.jwk);
  const signature = createHmac('sha256', macKey).update(signingInput(signed)).digest('base64url');
  return { ...signed, signature };
}

function parts(header: object, payload: object | undefined): Omit<Jws, 'signature'> {
  return {
    protected: base64url(JSON.stringify(header)),
    payload: payload === undefined ? '' : base64url(JSON.stringify(payload)),
  };
}

function signingInput(jws: Omit<Jws, 'signature'>): Buffer {
  return Buffer.from(`${jws.protected}.${jws.payload}`, 'ascii');
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function readPrivateKey(keyPem: string): KeyObject {
  try {
    return createPrivateKey(keyPem);
  } catch {
    // Its own error could quote what it could not read.
    throw new Error('read the private key of an account: it is not PEM with PKCS #8');
  }
}
