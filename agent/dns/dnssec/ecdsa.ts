import { type KeyObject, sign } from 'node:crypto';

/** Signs data with ECDSA P-256 and SHA-256: r and s, 32 bytes each (RFC 6605 §4). */
export type SignPort = (data: Uint8Array, key: KeyObject) => Uint8Array;

/** By OpenSSL, each signature with a random number of its own. */
export const ecdsaSign: SignPort = (data, key) =>
  sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
