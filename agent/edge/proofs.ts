import type { ChallengePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { EdgeAlpnProof, EdgeProofs, EdgeSnapshot } from './snapshot.ts';

/** SHA-256. */
const DIGEST_BYTES = 32;
/** A token becomes part of a path (RFC 8555 §8.3): base64url, which is all of `[\w-]`. */
const TOKEN = /^[\w-]{1,256}$/u;

/** The proofs of all orders, sorted by token; undefined: there are none. What is malformed is left out. */
export function edgeProofs(challenges: readonly ChallengePlan[]): EdgeProofs | undefined {
  const http = challenges
    .flatMap((challenge) => challenge.http)
    .filter(({ token }) => TOKEN.test(token))
    .toSorted(byToken);
  const alpn = challenges
    .flatMap((challenge) => challenge.alpn)
    .filter(({ token, digest }) => TOKEN.test(token) && digest.length === DIGEST_BYTES)
    // Bytes of their own: what is posted to a thread takes along all that it is a part of.
    .map(({ host, token, digest }) => ({ host, token, digest: Uint8Array.from(digest) }))
    .toSorted(byToken);
  return http.length + alpn.length === 0 ? undefined : { http, alpn };
}

/** The proof that TLS shows for each host: only one can be shown at a time, and it is the first. */
export function alpnProofs({ proofs }: EdgeSnapshot): ReadonlyMap<string, EdgeAlpnProof> {
  const byHost = new Map<string, EdgeAlpnProof>();
  for (const proof of proofs?.alpn ?? [])
    if (!byHost.has(proof.host)) byHost.set(proof.host, proof);
  return byHost;
}

/** The tokens of the proofs that CAs can see once the snapshot is in effect. */
export function shownTokens(snapshot: EdgeSnapshot): readonly string[] {
  const shown = [...(snapshot.proofs?.http ?? []), ...alpnProofs(snapshot).values()];
  return shown.map(({ token }) => token);
}

function byToken(one: { readonly token: string }, other: { readonly token: string }): number {
  return one.token < other.token ? -1 : one.token > other.token ? 1 : 0;
}
