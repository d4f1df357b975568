import { Rcode, RecordType } from '../message/codes.ts';
import type { Denial, Reply } from '../message/reply.ts';
import type { Entry } from '../zone/zone.ts';
import { type CompiledZone, typesAt } from '../zone/zone.ts';
import { nsecRrset } from './nsec.ts';
import type { Signatures, SignedEntry } from './signatures.ts';

export interface Signing {
  readonly signatures: Signatures;
  /** The reader knows that a signed "no such type" may come as NXDOMAIN (RFC 9824 §5.1). */
  readonly compactOk: boolean;
  /** Wall time. */
  readonly nowMs: number;
}

/**
 * What a reader that asked for it needs to check a reply (RFC 4035 §3.1): signatures of all that is
 * ours, and proof of what is not there. Of zones that are not signed nothing is added. Glue, and
 * the NS rrset of a delegation, are the child's to sign.
 */
export function signReply(reply: Reply, signing: Signing): Reply {
  const denied = reply.denial === undefined ? undefined : proofOf(reply.denial);
  const isReferral = reply.denial?.kind === 'delegation';
  const asked = denied === undefined ? undefined : askedFor(reply.denial, denied, signing);
  const authority = asked === undefined ? [...reply.authority, ...listOf(denied)] : [];
  const isCompact = reply.denial?.kind === 'nxdomain' && denied !== undefined;
  return {
    ...reply,
    rcode: isCompact && !signing.compactOk ? Rcode.NOERROR : reply.rcode,
    answer: [...withSignatures(reply.answer, signing), ...(asked ?? [])],
    authority: withSignatures(authority, signing),
    // If there is no room for all, signatures go before addresses do (RFC 4035 §3.1.1).
    additional: isReferral
      ? reply.additional
      : [...reply.additional, ...signaturesOf(reply.additional, signing)],
  };
}

/** Each rrset with its signatures behind it. */
function withSignatures(entries: readonly Entry[], signing: Signing): readonly Entry[] {
  return entries.flatMap((entry) => [entry, ...signaturesOf([entry], signing)]);
}

function signaturesOf(entries: readonly Entry[], { signatures, nowMs }: Signing): readonly Entry[] {
  return entries.filter(isOurs).map((entry) => ({ ...entry, rrset: signatures.of(entry, nowMs) }));
}

/** Data of a signed zone that is the zone's to sign. */
function isOurs(entry: Entry): entry is SignedEntry {
  const { rrset, owner, zone } = entry;
  const isDelegation = rrset.type === RecordType.NS && owner !== zone.origin;
  return zone.signing !== undefined && !isDelegation;
}

function listOf<Item>(item: Item | undefined): readonly Item[] {
  return item === undefined ? [] : [item];
}

/**
 * NSEC and RRSIG are at every name, though only in answers: who asks for one of them gets it. Of all
 * signatures at a name this is one (RFC 8482 §4.1 says that of ANY).
 */
function askedFor(
  denial: Denial | undefined,
  nsec: Entry,
  signing: Signing,
): readonly Entry[] | undefined {
  if (denial?.kind !== 'nodata') return undefined;
  if (denial.type === RecordType.NSEC) return withSignatures([nsec], signing);
  return denial.type === RecordType.RRSIG ? signaturesOf([nsec], signing) : undefined;
}

/** The DS rrset of a delegation, or what proves the denial; undefined: the zone is not signed. */
function proofOf(denial: Denial): Entry | undefined {
  const { zone, name } = denial;
  if (zone.signing === undefined) return undefined;
  switch (denial.kind) {
    case 'nxdomain':
      // Like what a wildcard stands for, it is there for this question alone.
      return nsecEntry(denial, { types: [RecordType.NXNAME], wildcard: name });
    case 'nodata': {
      const { node, type, wildcard } = denial;
      const isCut = node.cut === name && wildcard === undefined;
      const types = isCut ? delegationTypes(denial) : typesAt(node);
      return nsecEntry(denial, {
        types: types.filter((each) => each !== type),
        ...{ wildcard, below: isCut ? 'delegated' : 'ours' },
      });
    }
    case 'delegation': {
      const rrset = denial.node.rrsets.get(RecordType.DS);
      if (rrset !== undefined) return { owner: name, rrset, zone, wildcard: undefined };
      const types = delegationTypes(denial);
      return nsecEntry(denial, { types, wildcard: undefined, below: 'delegated' });
    }
  }
}

/** What of a delegation is the parent's (RFC 4035 §2.3): addresses there are glue. */
function delegationTypes({ node }: Extract<Denial, { kind: 'nodata' | 'delegation' }>): number[] {
  return [RecordType.NS, RecordType.DS].filter((type) => node.rrsets.has(type));
}

interface NsecInput {
  readonly types: readonly number[];
  readonly wildcard: Entry['wildcard'];
  /** Left out: ours. */
  readonly below?: 'ours' | 'delegated';
}

function nsecEntry(
  { zone, name }: { readonly zone: CompiledZone; readonly name: Entry['owner'] },
  { wildcard, ...given }: NsecInput,
): Entry {
  const { origin, negativeSoa } = zone;
  const rrset = nsecRrset({ owner: name, origin, ttlS: negativeSoa.ttlS, ...given });
  return { owner: name, rrset, zone, wildcard };
}
