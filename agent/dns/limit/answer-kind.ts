import { Rcode } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { type NameKey, parentOf, ROOT, readName } from '../message/name.ts';
import { type DnsSnapshot } from '../snapshot.ts';
import type { CompiledZone } from '../zone/zone.ts';
import { zoneOf } from '../zone/zone.ts';

/** Kinds of answers that are counted apart. */
export type AnswerKind = 'positive' | 'negative' | 'referral' | 'error';

export interface AnswerIdentity {
  readonly kind: AnswerKind;
  /**
   * What is one and the same answer to whoever floods: a name, the zone for "no such thing", the
   * wildcard that all names below it come from. Whoever asks for a thousand names that are not
   * there gets one answer a thousand times.
   */
  readonly owner: string;
}

/** By the header alone: one look at four bytes. */
export function kindOf(reply: Buffer): AnswerKind {
  const rcode = reply.readUInt8(3) & 0xf;
  if (rcode === Rcode.NXDOMAIN) return 'negative';
  if (rcode !== Rcode.NOERROR) return 'error';
  if (reply.readUInt16BE(6) > 0) return 'positive';
  const isAuthoritative = (reply.readUInt8(2) & 0x04) !== 0;
  return !isAuthoritative && reply.readUInt16BE(8) > 0 ? 'referral' : 'negative';
}

/** What the reply to `query` is counted as; `query` is one that was answered. */
export function identityOf(query: Buffer, kind: AnswerKind, snapshot: DnsSnapshot): AnswerIdentity {
  const name = kind === 'error' ? undefined : readName(query, HEADER_BYTES)?.key;
  const zone = name === undefined ? undefined : zoneOf(snapshot.zones, name);
  if (name === undefined || zone === undefined) return { kind, owner: ROOT };
  return { kind, owner: kind === 'negative' ? zone.origin : ownerOf(zone, name) };
}

/** The name itself if it exists, else "below" the name that a wildcard or delegation hangs from. */
function ownerOf(zone: CompiledZone, name: NameKey): string {
  if (zone.nodes.has(name)) return name;
  let encloser = name;
  while (encloser !== ROOT && !zone.nodes.has(encloser)) encloser = parentOf(encloser);
  return `*${encloser}`;
}
