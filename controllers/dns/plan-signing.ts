import type { Zone } from '../../api/zone.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import type {
  SigningKeyRecord,
  SigningPhase,
  SigningRecord,
  ZoneKeyRecord,
  ZoneOnNode,
  ZoneRecord,
} from '../../runtime/store/records.ts';
import { isSerialGreater } from './serial.ts';

export interface SigningFacts {
  readonly zone: Zone;
  readonly stored: SigningRecord | undefined;
  /** The version of the zone that is being served; undefined: none yet. */
  readonly previous: ZoneRecord | undefined;
  readonly nodes: readonly NodeView[];
}

export type SigningPlan =
  /** Not signed: what is stored goes. */
  | { readonly kind: 'unsigned' }
  /** A key is to be made, and the rest decided with it. */
  | { readonly kind: 'generate'; readonly generation: number; readonly phase: SigningPhase }
  | { readonly kind: 'signed'; readonly record: SigningRecord; readonly recheckInMs: number };

/** How long resolvers may keep the keys; the SOA is kept for as long. */
export const DNSKEY_TTL_S = 3600;
/** Beyond every TTL, for clocks that differ and answers that are on their way. */
const MARGIN_S = 60;

/**
 * The next step of a zone's keys: pure, one step at a time, and none before everything that the
 * step before has put into caches is gone (RFC 7583 §3.3). What only a person or the parent can do
 * is waited for, however long.
 */
export function planSigning(facts: SigningFacts, nowMs: number): SigningPlan {
  const { zone, previous } = facts;
  const wanted = zone.spec.dnssec?.mode === 'signed';
  const generation = zone.spec.dnssec?.keyGeneration ?? 1;
  // Keys of another name are of no use for this one.
  const stored = facts.stored?.origin === zone.spec.origin ? facts.stored : undefined;
  if (stored === undefined) {
    return wanted ? { kind: 'generate', generation, phase: 'signing' } : { kind: 'unsigned' };
  }
  const observed = observe(stored, facts, nowMs);
  const enter = (phase: SigningPhase, keys = observed.keys): SigningPlan =>
    signed(phaseOf(zone, phase, keys, previous));
  const { phase, keys } = observed;
  if (!wanted && phase !== 'withdrawing') {
    // Before the parent was told of a key there is nothing to be taken back from it.
    const wasOffered = phase !== 'signing' || (zone.spec.dnssec?.parentDs ?? []).length > 0;
    return wasOffered ? enter('withdrawing') : { kind: 'unsigned' };
  }
  if (wanted && phase === 'withdrawing') return enter(phaseOfRoles(keys));
  const leftMs = waitLeftMs(observed, zone, nowMs);
  if (phase === 'steady') {
    const isNew = keys.at(-1)?.generation !== generation;
    return isNew ? { kind: 'generate', generation, phase: 'publishing' } : signed(observed);
  }
  if (leftMs > 0) return signed(observed, leftMs);
  switch (phase) {
    case 'signing':
      return enter('steady');
    case 'publishing':
      return enter('swapping');
    case 'swapping':
      return enter('retiring', withRoles(keys, ['retired', 'active']));
    case 'retiring':
      return enter('steady', keys.slice(-1));
    case 'withdrawing':
      return { kind: 'unsigned' };
  }
}

/** The record with a key that was made for it: the first one signs at once, a second one waits. */
export function withNewKey(
  { zone, stored, previous }: SigningFacts,
  phase: SigningPhase,
  key: Omit<SigningKeyRecord, 'role'>,
): SigningRecord {
  const before = phase === 'signing' ? [] : (stored?.keys ?? []);
  const role = before.length === 0 ? 'active' : 'published';
  return phaseOf(zone, phase, [...before, { ...key, role }], previous);
}

/** What is public of the keys, and what the parent is asked to do with each. */
export function publicKeys({ phase, keys }: SigningRecord): readonly ZoneKeyRecord[] {
  return keys.map(({ keyTag, publicKey, role }, index) => {
    const isNewest = index === keys.length - 1;
    return { keyTag, publicKey, role, ds: dsOf(phase, isNewest ? 'newest' : 'older') };
  });
}

/**
 * Whether a nameserver serves a zone with all these keys. One of an older version of b8s takes no
 * notice of them, and reports the serial all the same.
 */
export function signsWith(
  { keyTags = [] }: ZoneOnNode,
  keys: readonly Pick<ZoneKeyRecord, 'keyTag'>[],
): boolean {
  return keys.every(({ keyTag }) => keyTags.includes(keyTag));
}

/** The nameservers that do not serve the keys of this phase yet, by name. */
export function nodesBehind(
  { serial, keys }: SigningRecord,
  { zone, nodes }: Pick<SigningFacts, 'zone' | 'nodes'>,
): readonly string[] {
  const behind = nodes.filter((node) => {
    const report = node.report?.zones.find(({ uid }) => uid === zone.metadata.uid);
    // One that is away serves on, too: what it serves counts as much (INV-24).
    if (serial === undefined || report === undefined || !signsWith(report, keys)) return true;
    return report.serial !== serial && !isSerialGreater(report.serial, serial);
  });
  return behind.filter((node) => hasRole(node, 'nameserver')).map(({ name }) => name);
}

/** Until when this phase lasts at least; undefined: something else is waited for first. */
export function phaseEndMs(record: SigningRecord, zone: Zone): number | undefined {
  const { phase, servedMs, parentMs, ttlMaxS } = record;
  const parentTtlS = zone.spec.dnssec?.parentTtlS ?? PARENT_TTL_S;
  const after = (sinceMs: number | undefined, ttlS: number): number | undefined =>
    sinceMs === undefined ? undefined : sinceMs + 1000 * (ttlS + MARGIN_S);
  switch (phase) {
    case 'signing':
    case 'retiring':
      return after(servedMs, ttlMaxS);
    case 'publishing':
      return after(servedMs, DNSKEY_TTL_S);
    case 'swapping':
    case 'withdrawing':
      return after(parentMs, parentTtlS);
    case 'steady':
      return undefined;
  }
}

/** As long as most registries have it. */
const PARENT_TTL_S = 86_400;

function signed(record: SigningRecord, recheckInMs: number = Infinity): SigningPlan {
  return { kind: 'signed', record, recheckInMs };
}

function phaseOf(
  zone: Zone,
  phase: SigningPhase,
  keys: readonly SigningKeyRecord[],
  previous: ZoneRecord | undefined,
): SigningRecord {
  const ttlsS = [...(previous?.records ?? []), ...(previous?.geoNames ?? [])].map(
    ({ ttlS }) => ttlS,
  );
  const ttlMaxS = ttlsS.reduce((one, other) => Math.max(one, other), DNSKEY_TTL_S);
  const zoneUid = zone.metadata.uid;
  return { zoneUid, origin: zone.spec.origin, phase, ttlMaxS, keys };
}

/** What has come about of the phase since. */
function observe(stored: SigningRecord, facts: SigningFacts, nowMs: number): SigningRecord {
  const { zone, previous } = facts;
  const serial = stored.serial ?? (isOf(previous, stored) ? previous?.serial : undefined);
  const known = serial === undefined ? stored : { ...stored, serial };
  const isServed = hasNameserver(facts) && nodesBehind(known, facts).length === 0;
  const servedMs = known.servedMs ?? (isServed ? nowMs : undefined);
  const { parentMs: before, ...rest } = known;
  const parentMs = parentAgrees(known, zone) ? (before ?? nowMs) : undefined;
  return {
    ...rest,
    ...(servedMs === undefined ? {} : { servedMs }),
    ...(parentMs === undefined ? {} : { parentMs }),
  };
}

function hasNameserver({ nodes }: SigningFacts): boolean {
  return nodes.some((node) => hasRole(node, 'nameserver'));
}

/** Whether a version of the zone has the keys just as this phase wants them. */
function isOf(previous: ZoneRecord | undefined, stored: SigningRecord): boolean {
  return JSON.stringify(previous?.keys) === JSON.stringify(publicKeys(stored));
}

/** Whether the parent holds what this phase waits for, as a person says. */
function parentAgrees({ phase, keys }: SigningRecord, zone: Zone): boolean {
  const parentDs = zone.spec.dnssec?.parentDs;
  if (parentDs === undefined) return false;
  if (phase === 'withdrawing') return parentDs.length === 0;
  const newest = keys.at(-1)?.keyTag;
  return parentDs.length > 0 && parentDs.every((keyTag) => keyTag === newest);
}

/** Infinity: something else comes first. */
function waitLeftMs(record: SigningRecord, zone: Zone, nowMs: number): number {
  const endMs = phaseEndMs(record, zone);
  return endMs === undefined ? Infinity : Math.max(0, endMs - nowMs);
}

/** After a change of mind: where these keys are. */
function phaseOfRoles(keys: readonly SigningKeyRecord[]): SigningPhase {
  if (keys.length === 1) return 'steady';
  return keys.at(-1)?.role === 'published' ? 'publishing' : 'retiring';
}

function withRoles(
  keys: readonly SigningKeyRecord[],
  roles: readonly SigningKeyRecord['role'][],
): readonly SigningKeyRecord[] {
  return keys.map((key, index) => ({ ...key, role: roles[index] ?? key.role }));
}

function dsOf(phase: SigningPhase, which: 'newest' | 'older'): ZoneKeyRecord['ds'] {
  switch (phase) {
    case 'signing':
      return 'unsaid';
    case 'withdrawing':
      return 'delete';
    case 'publishing':
      return which === 'older' ? 'wanted' : 'unsaid';
    case 'steady':
    case 'swapping':
    case 'retiring':
      return which === 'newest' ? 'wanted' : 'unsaid';
  }
}
