import { canonicalValue, isWithin } from '../../api/records.ts';
import { type ZonesByOrigin, zoneOfHost } from '../dns/zones.ts';
import { hasRole, type NodeView, servesZone } from '../session/node-view.ts';
import { qualifiedName } from '../store/keys.ts';
import type { ZoneRecord } from '../store/records.ts';
import type { ProofRecord } from './records.ts';

/** How far a proof is from where the CA will look for it. */
export type ProofStanding =
  /** `aside`: nodes that were waited for long enough, by name; they may not have it. */
  | {
      readonly kind: 'inPlace';
      readonly serial: number | undefined;
      readonly aside: readonly string[];
    }
  | {
      readonly kind: 'waiting';
      /** For a person, after "waiting for": "2/3 nameservers to serve the proof of …". */
      readonly what: string;
      /** The first serial of the zone with the proof, once there is one. */
      readonly serial: number | undefined;
      /** When somebody is waited for no longer; undefined: only a change helps. */
      readonly untilMs: number | undefined;
    };

export interface ProofFacts {
  readonly zones: ZonesByOrigin;
  /** By `namespace/name`. */
  readonly zoneRecord: (zone: string) => ZoneRecord | undefined;
  readonly nodes: readonly NodeView[];
}

/** A node that is away goes on serving (INV-24), so it is waited for, but not for ever. */
export const AWAY_GRACE_MS = 2 * 60_000;
/** One that is there and does not follow: the others may do, and are asked as likely. */
export const BEHIND_GRACE_MS = 10 * 60_000;

/** Pure: whether whoever the CA may ask has the proof by now (RFC 8555 §8). */
export function proofStanding(
  { name, proof }: { readonly name: string; readonly proof: ProofRecord },
  facts: ProofFacts,
  nowMs: number,
): ProofStanding {
  const { sinceMs } = proof;
  const where = zoneWanted(name, proof, facts);
  let serial: number | undefined;
  const aside: string[] = [];
  if (where !== undefined) {
    const record = facts.zoneRecord(where);
    serial = record === undefined ? undefined : serialOf({ name, proof }, record);
    if (record === undefined || serial === undefined) {
      const what = `zone ${where} to hold the proof of ${name}`;
      return { kind: 'waiting', what, serial, untilMs: undefined };
    }
    const servers = facts.nodes.filter((node) => hasRole(node, 'nameserver'));
    const spread = spreadOf(
      servers,
      (node) => serves(node, record.zoneUid, serial),
      sinceMs,
      nowMs,
    );
    if (spread.missing > 0 || servers.length === 0)
      return {
        kind: 'waiting',
        serial,
        untilMs: spread.untilMs,
        what: words(spread, 'nameserver', name),
      };
    aside.push(...spread.aside);
  }
  if (proof.type === 'dns-01') return { kind: 'inPlace', serial, aside };
  const edges = facts.nodes.filter((node) => hasRole(node, 'edge'));
  const answers = (node: NodeView): boolean =>
    node.report?.challenges?.includes(proof.token) ?? false;
  const spread = spreadOf(edges, answers, sinceMs, nowMs);
  if (spread.missing > 0 || edges.length === 0)
    return { kind: 'waiting', serial, untilMs: spread.untilMs, what: words(spread, 'edge', name) };
  return { kind: 'inPlace', serial, aside: [...aside, ...spread.aside] };
}

interface Spread {
  readonly having: number;
  readonly total: number;
  readonly missing: number;
  /** By name. */
  readonly waitedFor: readonly string[];
  readonly aside: readonly string[];
  readonly untilMs: number | undefined;
}

function spreadOf(
  nodes: readonly NodeView[],
  has: (node: NodeView) => boolean,
  sinceMs: number,
  nowMs: number,
): Spread {
  const lacking = nodes.filter((node) => !(node.connected && has(node)));
  // A clock that went back must not make the wait longer than the grace.
  const patience = lacking.map((node) => {
    const graceMs = node.connected ? BEHIND_GRACE_MS : AWAY_GRACE_MS;
    return { name: node.name, leftMs: Math.min(graceMs, sinceMs + graceMs - nowMs) };
  });
  const waitedFor = patience.filter(({ leftMs }) => leftMs > 0);
  const having = nodes.length - lacking.length;
  // With nobody who has it there is nothing for a CA to find, however long one waits.
  const isNobody = having === 0;
  const missing = isNobody ? nodes.length : waitedFor.length;
  return {
    having,
    total: nodes.length,
    missing,
    waitedFor: isNobody ? patience.map(({ name }) => name) : waitedFor.map(({ name }) => name),
    aside: isNobody ? [] : patience.filter(({ leftMs }) => leftMs <= 0).map(({ name }) => name),
    untilMs:
      waitedFor.length === 0 ? undefined : nowMs + Math.max(...waitedFor.map((w) => w.leftMs)),
  };
}

const NAMED_MAX = 3;

function words({ having, total, waitedFor }: Spread, role: string, name: string): string {
  if (total === 0) return `a node with the role ${role}, for the proof of ${name}`;
  const named = waitedFor.slice(0, NAMED_MAX).join(', ');
  const more = waitedFor.length > NAMED_MAX ? ', …' : '';
  const who = named === '' ? '' : ` (not yet: ${named}${more})`;
  return `${having}/${total} ${role}s to serve the proof of ${name}${who}`;
}

/** The zone that a CA finds the proof by, if it is one of ours. */
function zoneWanted(name: string, proof: ProofRecord, { zones }: ProofFacts): string | undefined {
  if (proof.type === 'dns-01') return proof.zone;
  const zone = zoneOfHost(zones, name);
  return zone === undefined ? undefined : qualifiedName(zone.metadata);
}

/** Undefined: the zone does not lead to the proof yet. */
function serialOf(
  { name, proof }: { readonly name: string; readonly proof: ProofRecord },
  record: ZoneRecord,
): number | undefined {
  const isThere = proof.type === 'dns-01' ? holdsText(record, proof) : leadsSomewhere(record, name);
  return isThere ? (proof.serial ?? record.serial) : undefined;
}

function holdsText(record: ZoneRecord, proof: ProofRecord & { readonly type: 'dns-01' }): boolean {
  const { recordName, recordValue } = proof;
  const outcome = canonicalValue('TXT', recordValue, record.origin);
  const wanted = outcome.kind === 'value' ? outcome.value : recordValue;
  return record.records.some(
    ({ name, type, values }) => name === recordName && type === 'TXT' && values.includes(wanted),
  );
}

const LEADING: ReadonlySet<string> = new Set(['A', 'AAAA', 'ALIAS', 'CNAME']);

/** Whether the host has addresses, or an alias: without, nobody comes to an edge. */
function leadsSomewhere({ records, geoNames, origin }: ZoneRecord, host: string): boolean {
  if (geoNames.some(({ name, candidates }) => name === host && candidates.length > 0)) return true;
  const wildcards: string[] = [];
  for (let cut = host.indexOf('.'); cut >= 0; cut = host.indexOf('.', cut + 1)) {
    const parent = host.slice(cut + 1);
    if (isWithin(parent, origin)) wildcards.push(`*.${parent}`);
  }
  const owners = new Set([host, ...wildcards]);
  return records.some(({ name, type }) => LEADING.has(type) && owners.has(name));
}

function serves(node: NodeView, zoneUid: string, serial: number | undefined): boolean {
  const report = node.report?.zones.find(({ uid }) => uid === zoneUid);
  if (report === undefined || report.error !== '' || serial === undefined) return false;
  return servesZone(node, { uid: zoneUid, serial });
}
