import type { CompiledZone, Entry, ZoneNode } from '../zone/zone.ts';
import { Rcode } from './codes.ts';
import type { NameKey } from './name.ts';

/** What a reply says, before it is bytes. */
export interface Reply {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly answer: readonly Entry[];
  /** The SOA of a denial, or the NS rrset of a delegation. */
  readonly authority: readonly Entry[];
  /** Addresses without which the reader cannot go on: they fit, or TC is set (RFC 9471 §3.1). */
  readonly glue: readonly Entry[];
  /** What is left out if it does not fit: other glue, which is not signed, and helpful addresses. */
  readonly additional: readonly Entry[];
  /** Undefined: it only says what is there. */
  readonly denial: Denial | undefined;
  /** How many bits of the client's address the answer depends on. */
  readonly scopeBits: number;
  /** Why it is as it is, for people (RFC 8914). */
  readonly extendedErrors: readonly ExtendedError[];
}

/** What a reply says is not there; a signer has to prove it (RFC 9824 §3, RFC 4035 §3.1.3). */
export type Denial =
  /** There is no such name, and no wildcard stands for it. */
  | { readonly kind: 'nxdomain'; readonly zone: CompiledZone; readonly name: NameKey }
  /** There is the name, or a wildcard that stands for it, but nothing of this type. */
  | {
      readonly kind: 'nodata';
      readonly zone: CompiledZone;
      readonly name: NameKey;
      readonly type: number;
      /** See `typesAt`; of a geo name one address type may be missing today. */
      readonly node: ZoneNode;
      readonly wildcard: NameKey | undefined;
    }
  /** A referral: its DS is at `node`, or else it is to be proven that there is none. */
  | {
      readonly kind: 'delegation';
      readonly zone: CompiledZone;
      readonly name: NameKey;
      readonly node: ZoneNode;
    };

/** RFC 8914 §4, those that an authoritative server has a use for. */
export const ExtendedError = {
  Other: 0,
  StaleAnswer: 3,
  NotReady: 14,
  Prohibited: 18,
  NotAuthoritative: 20,
  NotSupported: 21,
  /** RFC 9824 §3.5. */
  InvalidQueryType: 30,
} as const;

export type ExtendedError = (typeof ExtendedError)[keyof typeof ExtendedError];

/** A reply that is only a response code. */
export function bareReply(rcode: Rcode, ...extendedErrors: readonly ExtendedError[]): Reply {
  return {
    rcode,
    authoritative: false,
    answer: [],
    authority: [],
    glue: [],
    additional: [],
    denial: undefined,
    scopeBits: 0,
    extendedErrors,
  };
}

/** What was found, from our own data. */
export function positiveReply(answer: readonly Entry[]): Reply {
  return { ...bareReply(Rcode.NOERROR), authoritative: true, answer };
}

/** RFC 2308 §2. After aliases the code speaks of the last name (RFC 6604 §3). */
export function negativeReply(
  aliases: readonly Entry[],
  denial: Exclude<Denial, { kind: 'delegation' }>,
): Reply {
  const { zone } = denial;
  const soa = { owner: zone.origin, rrset: zone.negativeSoa, zone, wildcard: undefined };
  const rcode = denial.kind === 'nxdomain' ? Rcode.NXDOMAIN : Rcode.NOERROR;
  return { ...positiveReply(aliases), rcode, authority: [soa], denial };
}
