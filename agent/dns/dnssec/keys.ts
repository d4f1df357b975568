import { createHash, type KeyObject } from 'node:crypto';
import type { ZoneKey, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import {
  DNSSEC_ALGORITHM,
  DS_DIGEST_TYPE,
  dnskeyRdata,
  dsOf,
  keyTagOf,
  parseZoneKey,
  publicKeyOf,
} from '../../../runtime/dns/dnssec.ts';
import { RecordType } from '../message/codes.ts';
import type { NameKey } from '../message/name.ts';
import { ownBytes } from '../zone/own-bytes.ts';
import type { Rrset } from '../zone/rrset.ts';
import { nameWire } from './canonical.ts';

/** A key that a zone is signed with. It holds a secret: nothing of it is to be printed whole. */
export interface SigningKey {
  readonly keyTag: number;
  /** Of the public key: what tells keys of one tag apart. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
  readonly role: 'active' | 'published' | 'retired';
  readonly ds: 'wanted' | 'delete' | '';
}

/** Keys that sign together. */
export interface Signers {
  /** No other keys have it. */
  readonly id: string;
  readonly keys: readonly SigningKey[];
}

/** How a zone is signed. */
export interface ZoneSigning {
  /** Of all keys, sorted. */
  readonly keyTags: readonly number[];
  /** Those that sign every rrset. */
  readonly active: Signers;
  /** Those that sign what the parent's DS records and scanners lead to: the keys themselves. */
  readonly entering: Signers;
  /** DNSKEY, and CDS and CDNSKEY if the parent is told anything: all at the origin. */
  readonly rrsets: readonly Rrset[];
}

/** How long resolvers may keep the keys, in seconds. */
export const DNSKEY_TTL_S = 3600;

/**
 * The keys of a plan, checked: undefined if it has none. Throws a RangeError that says what is
 * wrong with them, and never what they are.
 */
export function compileSigning(
  plan: Pick<ZonePlan, 'keys'>,
  origin: NameKey,
): ZoneSigning | undefined {
  if (plan.keys.length === 0) return undefined;
  const keys = plan.keys.map(compileKey);
  const active = keys.filter(({ role }) => role === 'active');
  // A DS at the parent and no signatures: every validating resolver would refuse the whole zone.
  if (active.length === 0) throw new RangeError('its keys do not include an active one');
  const entering = keys.filter(({ role }) => role !== 'retired');
  return {
    keyTags: keys.map(({ keyTag }) => keyTag).toSorted((a, b) => a - b),
    active: signersOf(active, origin),
    entering: signersOf(entering, origin),
    rrsets: [dnskeys(keys), ...parentRrsets(keys, origin)],
  };
}

/** Types that the keys vouch for together, each for the other while one takes over (RFC 7344 §4.1). */
export function isKeyType(type: number): boolean {
  return type === RecordType.DNSKEY || type === RecordType.CDS || type === RecordType.CDNSKEY;
}

function signersOf(keys: readonly SigningKey[], origin: NameKey): Signers {
  const hash = createHash('sha256').update(nameWire(origin));
  for (const { publicKey } of keys) hash.update(publicKey);
  return { id: hash.digest('base64'), keys };
}

function compileKey({ keyTag, publicKey, privatePem, role, ds }: ZoneKey): SigningKey {
  const privateKey = parseZoneKey(privatePem);
  if (!Buffer.from(publicKeyOf(privateKey)).equals(publicKey))
    throw new RangeError(`key ${keyTag}: its halves do not belong together`);
  if (keyTagOf(dnskeyRdata(publicKey)) !== keyTag)
    throw new RangeError(`key ${keyTag} has another tag`);
  if (role !== 'active' && role !== 'published' && role !== 'retired')
    throw new RangeError(`key ${keyTag}: "${role}" is not a role`);
  if (ds !== 'wanted' && ds !== 'delete' && ds !== '')
    throw new RangeError(`key ${keyTag}: "${ds}" cannot be asked of the parent`);
  return { keyTag, publicKey: ownBytes(publicKey), privateKey, role, ds };
}

function dnskeys(keys: readonly SigningKey[]): Rrset {
  return rrsetOf(RecordType.DNSKEY, keys.map(dnskeyRecord));
}

/** RFC 7344 §4: the DS records that are wished for; RFC 8078 §4: that there be none. */
function parentRrsets(keys: readonly SigningKey[], origin: NameKey): readonly Rrset[] {
  const wanted = keys.filter(({ ds }) => ds === 'wanted');
  if (wanted.length > 0) {
    const cds = wanted.map(({ publicKey }) => cdsRecord(publicKey, origin));
    return [rrsetOf(RecordType.CDS, cds), rrsetOf(RecordType.CDNSKEY, wanted.map(dnskeyRecord))];
  }
  if (keys.every(({ ds }) => ds !== 'delete')) return [];
  const none = { data: Buffer.of(0, 0, 0, 0, 0), text: '0 0 0 00' };
  const noKey = { data: Buffer.of(0, 0, 3, 0, 0), text: '0 3 0 AA==' };
  return [rrsetOf(RecordType.CDS, [none]), rrsetOf(RecordType.CDNSKEY, [noKey])];
}

interface Record {
  readonly data: Uint8Array;
  readonly text: string;
}

function dnskeyRecord({ publicKey }: SigningKey): Record {
  const text = `257 3 ${DNSSEC_ALGORITHM} ${Buffer.from(publicKey).toString('base64')}`;
  return { data: dnskeyRdata(publicKey), text };
}

function cdsRecord(publicKey: Uint8Array, origin: NameKey): Record {
  const { keyTag, digest } = dsOf(nameWire(origin), publicKey);
  const fixed = Buffer.of(keyTag >> 8, keyTag & 0xff, DNSSEC_ALGORITHM, DS_DIGEST_TYPE);
  return {
    data: Buffer.concat([fixed, Buffer.from(digest, 'hex')]),
    text: `${keyTag} ${DNSSEC_ALGORITHM} ${DS_DIGEST_TYPE} ${digest.toUpperCase()}`,
  };
}

function rrsetOf(type: number, records: readonly Record[]): Rrset {
  return {
    type,
    ttlS: DNSKEY_TTL_S,
    records: records.map(({ data, text }) => ({ parts: [ownBytes(data)], text })),
    targets: [],
  };
}
