import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Digest, digestHex, isDigest } from './digest.ts';
import { BATCH_BLOBS_MAX } from './small-blobs.ts';

/** What every edge calls itself to other nodes, whatever address it is reached by. */
export const PEER_SERVER_NAME = 'edge.b8s.internal';
export const PEER_KEY_BYTES = 32;
const ONE = '/.well-known/b8s/blob/';
const SEVERAL = '/.well-known/b8s/blobs/';
/** Dates are of dom's clock, and edges compare them with their own: one too far ahead is none. */
export const GRANT_S_MAX = 3600;

/** What a node may fetch from an edge: a list, which is a release or an index, and what it names. */
export interface PeerGrant {
  readonly list: Digest;
  /** Who asked for it. */
  readonly node: string;
  /** When it ends, whole seconds since 1970 UTC, by dom's clock. */
  readonly untilS: number;
}

/**
 * What URLs are signed with. It tells nothing of the edge's key, and is of no use for another list,
 * node or time.
 */
export function grantKey(edgeKey: Uint8Array, { list, node, untilS }: PeerGrant): Buffer {
  // A name has no line ends, so no two grants are the same text.
  return createHmac('sha256', edgeKey).update(`b8s grant\n${list}\n${node}\n${untilS}`).digest();
}

/** The path, with its query, of one blob of the list: it is good for this blob only. */
export function peerPath(grant: PeerGrant & GrantKey, digest: Digest): string {
  return `${ONE}${digestHex(digest)}?${queryOf(grant, signOne(grant.key, digest))}`;
}

/** The same of several small ones, BATCH_BLOBS_MAX at most: it is good for just these, in this order. */
export function severalPath(grant: PeerGrant & GrantKey, digests: readonly Digest[]): string {
  const named = digests.map(digestHex).join(',');
  return `${SEVERAL}${named}?${queryOf(grant, signSeveral(grant.key, digests))}`;
}

export type PeerRequest =
  | { readonly kind: 'one'; readonly digest: Digest; readonly list: Digest }
  | { readonly kind: 'several'; readonly digests: readonly Digest[]; readonly list: Digest }
  | { readonly kind: 'refused'; readonly why: string };

/** Looks at a path as it came: only what the two above make, to the letter, is granted. */
export function checkPeerPath(
  path: string,
  { key, nowS }: { readonly key: Uint8Array; readonly nowS: number },
): PeerRequest {
  const found = PATH.exec(path);
  if (found === null) return refused('no blob is asked for by this');
  const [, one, several = '', of = '', node = '', until = '', given = ''] = found;
  const digests = (one ?? several).split(',').map((hex) => `sha256-${hex}`);
  const list = `sha256-${of}`;
  if (!digests.every(isDigest) || !isDigest(list)) return refused('no digest');
  const [digest] = digests;
  if (digest === undefined || digests.length > BATCH_BLOBS_MAX) return refused('too many blobs');
  const untilS = Number(until);
  const grant = grantKey(key, { list, node, untilS });
  const signature = one === undefined ? signSeveral(grant, digests) : signOne(grant, digest);
  if (!timingSafeEqual(signature, Buffer.from(given, 'hex'))) return refused('not signed for this');
  if (untilS <= nowS) return refused('it has expired');
  if (untilS > nowS + GRANT_S_MAX) return refused('it is dated too far ahead');
  return one === undefined ? { kind: 'several', digests, list } : { kind: 'one', digest, list };
}

/** What a grant's URLs are signed with; see `grantKey`. */
interface GrantKey {
  readonly key: Uint8Array;
}

/** No part can be written in two ways: no upper case, no escapes, no other order. */
const PATH =
  /^\/\.well-known\/b8s\/(?:blob\/([0-9a-f]{64})|blobs\/([0-9a-f]{64}(?:,[0-9a-f]{64})*))\?of=([0-9a-f]{64})&for=([a-z0-9-]{1,63})&until=([1-9]\d{0,11})&sig=([0-9a-f]{64})$/u;

function queryOf({ list, node, untilS }: PeerGrant, signature: Buffer): string {
  return `of=${digestHex(list)}&for=${node}&until=${untilS}&sig=${signature.toString('hex')}`;
}

function signOne(grant: Uint8Array, digest: Digest): Buffer {
  return createHmac('sha256', grant).update(`b8s blob\n${digest}`).digest();
}

function signSeveral(grant: Uint8Array, digests: readonly Digest[]): Buffer {
  return createHmac('sha256', grant)
    .update(`b8s blobs\n${digests.join('\n')}`)
    .digest();
}

function refused(why: string): PeerRequest {
  return { kind: 'refused', why };
}
