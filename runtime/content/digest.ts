import { hash } from 'node:crypto';

/** Names bytes by what they are: `sha256-` and 64 lower-case hex digits. */
export type Digest = `sha256-${string}`;

const DIGEST = /^sha256-[0-9a-f]{64}$/u;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256-${hash('sha256', bytes)}`;
}

/** The 64 hex digits alone. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256-'.length);
}

/** Where a node keeps the beginning of a blob that is on its way: `partial/<64 hex digits>`. */
export function partPath(digest: Digest): string {
  return `partial/${digestHex(digest)}`;
}

/** Where dom and sub keep a blob, relative to their folders: `blobs/sha256/ab/abcdef…`. */
export function blobPath(digest: Digest): string {
  const hex = digestHex(digest);
  return `blobs/sha256/${hex.slice(0, 2)}/${hex}`;
}
