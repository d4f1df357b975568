import type { Digest } from './digest.ts';
import { HEADS_HEADER } from './small-blobs.ts';

/** An edge that another node may fetch from, as dom has said. */
export interface Peer {
  readonly node: string;
  /** IPv4 and IPv6; any of them will do. */
  readonly addresses: readonly string[];
  readonly httpsPort: number;
  /** SHA-256 of the certificate that it shows, in DER, lower-case hex. */
  readonly fingerprint: string;
  /** What URLs of one list are signed with; see `peer-url.ts`. */
  readonly grant: Uint8Array;
  /** When the grant ends, seconds since 1970 UTC, by dom's clock. */
  readonly untilS: number;
}

export interface PeersQuestion {
  /** A release or an index of compressed forms. */
  readonly list: Digest;
  /** So much of what it names is not here. */
  readonly missingBytes: number;
  /** Nodes that were named before and of no use. */
  readonly failed: readonly string[];
}

/**
 * Dom's word on where to fetch from, as a port.
 *
 * Guarantees: what dom names is an edge of ours that has, or is fetching, what the list names.
 * Errors: rejects when dom cannot be asked; one that is too old to know of peers names none.
 */
export interface PeerFinder {
  /** In the order in which they are to be tried; none: dom itself has time. */
  find(question: PeersQuestion, signal: AbortSignal): Promise<readonly Peer[]>;
}

/** What an edge has said to a request for a blob. */
export type PeerAnswer =
  | {
      readonly kind: 'bytes';
      readonly pieces: AsyncIterable<Uint8Array>;
      /** Of several that were asked for: what comes of each, as `encodeHeads` writes it. */
      readonly heads?: string | undefined;
    }
  /** It is not there, or not yet: `heldBytes` of it are, 0 if nobody knows of any. */
  | { readonly kind: 'not yet'; readonly heldBytes: number }
  /** It has enough to do. */
  | { readonly kind: 'busy' }
  /** What it was asked with is not good, or not any more: its grant may be over. */
  | { readonly kind: 'denied'; readonly why: string }
  /** Another try would not help. */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Another edge's public HTTPS, as a port.
 *
 * Guarantees: nothing is sent before the edge has shown the certificate of that fingerprint.
 * Assumptions: the caller verifies the digest; nothing here does.
 * Caveats: it may take for ever to say nothing: the caller looks at the clock.
 * Errors: rejects when the edge cannot be reached, shows another certificate, or the signal is
 * aborted; pieces throw when the stream breaks.
 */
export interface PeerFetcher {
  /**
   * `path`: of `peerPath`; the blob's bytes from `offsetBytes` to its end. Or of `severalPath`: what
   * comes of each, and their bytes one behind the other.
   */
  get(
    peer: Peer,
    wanted: { readonly path: string; readonly offsetBytes: number },
    signal: AbortSignal,
  ): Promise<PeerAnswer>;
}

/** What an edge answers other nodes with; made anew whenever its agent starts. */
export interface PeerIdentity {
  /** SHA-256 of the certificate in DER, lower-case hex. */
  readonly fingerprint: string;
  /** PEM. */
  readonly chainPem: string;
  /** PEM, PKCS #8. */
  readonly keyPem: string;
  /** What grants are known by. */
  readonly key: Uint8Array;
}

/** Says how many bytes of a blob are there already, beside a 503. */
export const HELD_HEADER = 'b8s-held';

/** What an edge answered over HTTP; header names in lower case. */
export interface PeerResponse {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** What it means, to who asked for the bytes from `offsetBytes` on. */
export function peerAnswer(response: PeerResponse, offsetBytes: number): PeerAnswer {
  const { status, header, pieces } = response;
  switch (status) {
    case 200:
      return offsetBytes === 0
        ? { kind: 'bytes', pieces, heads: header(HEADS_HEADER) }
        : refusal('all, in place of the rest');
    case 206:
      return header('content-range')?.startsWith(`bytes ${offsetBytes}-`) === true
        ? { kind: 'bytes', pieces }
        : refusal('another range');
    case 403:
      return { kind: 'denied', why: 'it answered 403' };
    case 429:
      return { kind: 'busy' };
    case 503: {
      const held = header(HELD_HEADER) ?? '';
      const isCount = /^\d{1,15}$/u.test(held);
      return isCount ? { kind: 'not yet', heldBytes: Number(held) } : { kind: 'busy' };
    }
    default:
      return refusal(String(status));
  }
}

function refusal(what: string): PeerAnswer {
  return { kind: 'refused', why: `it answered ${what}` };
}
