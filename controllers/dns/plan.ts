import { isDeepStrictEqual } from 'node:util';
import type { Site } from '../../api/site.ts';
import type { Zone, ZoneStatus } from '../../api/zone.ts';
import { type ConditionInput, replaceConditions } from '../../runtime/control/conditions.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import { withoutNameserver } from '../../runtime/session/nameservers.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { SigningRecord, ZoneOnNode, ZoneRecord } from '../../runtime/store/records.ts';
import { VALUE_BYTES_MAX } from '../../runtime/store/store.ts';
import { answeredSince } from './answered-since.ts';
import { delegations } from './delegations.ts';
import { candidateUids, geoNames } from './geo-names.ts';
import { publicKeys, signsWith } from './plan-signing.ts';
import { previewNames } from './preview-names.ts';
import { withProofs } from './proof-records.ts';
import { recordSets } from './record-sets.ts';
import { greatestSerial, nextSerial } from './serial.ts';
import { signingStatus } from './signing-status.ts';
import { transferCondition, zoneTransfer } from './transfer.ts';
import type { ZoneProof } from './zone-proofs.ts';

export interface ZoneFacts {
  readonly zone: Zone;
  /** Every Zone, this one among them. */
  readonly zones: readonly Zone[];
  readonly sites: readonly Site[];
  readonly nodes: readonly NodeView[];
  /** The keys that it is to be signed with; undefined: it is not. */
  readonly signing?: SigningRecord | undefined;
  /** What CAs are about to look for in it; left out: nothing. */
  readonly proofs?: readonly ZoneProof[];
  /** Names of the transfer keys that there are; left out: none. */
  readonly transferKeys?: ReadonlySet<string>;
  /** The version of this Zone that is being served; undefined: none yet. */
  readonly previous: ZoneRecord | undefined;
  /** Serials that this origin is or may have been served with, also by other Zones. */
  readonly serials: readonly number[];
}

export interface ZonePlan {
  /** What nameservers are to serve; undefined: nothing. */
  readonly record: ZoneRecord | undefined;
  readonly status: ZoneStatus;
}

/** Compiles a Zone, and decides what is said of it. */
export function planZone(facts: ZoneFacts, nowMs: number): ZonePlan {
  const { zone } = facts;
  const answering = zonesByOrigin(facts.zones).get(zone.spec.origin);
  if (answering !== undefined && answering !== zone) return refused(zone, answering, nowMs);
  const { data, nameservers, problems } = compile(facts);
  const record = versionOf(data, facts, nowMs);
  const isTooLarge = Buffer.byteLength(JSON.stringify(record)) > VALUE_BYTES_MAX;
  const served = isTooLarge ? facts.previous : record;
  const accepted = isTooLarge ? tooLarge(zone) : acceptedOf(problems);
  const nodes = facts.nodes.filter((node) => hasRole(node, 'nameserver') && node.connected);
  const current = nodes.filter((node) => serves(node, zone, served));
  const signing =
    facts.signing === undefined
      ? undefined
      : signingStatus(facts.signing, { zone, nodes: facts.nodes });
  const handing = transferCondition(zone, {
    keys: facts.transferKeys ?? new Set(),
    isSigned: facts.signing !== undefined,
  });
  const inputs = [
    readyOf(facts, nodes, current, served),
    accepted,
    ...(signing === undefined ? [] : [signing.condition]),
    ...(handing === undefined ? [] : [handing]),
  ];
  return {
    record: served,
    status: {
      ...statusOf(zone, inputs, nowMs),
      ...(served === undefined ? {} : { serial: served.serial }),
      servedBy: { current: current.length, total: nodes.length },
      nameservers,
      ...signing?.fields,
    },
  };
}

type ZoneData = Omit<ZoneRecord, 'serial' | 'generation'>;

function compile(facts: ZoneFacts): {
  readonly data: ZoneData;
  readonly nameservers: readonly string[];
  readonly problems: readonly string[];
} {
  const { zone, sites, nodes, proofs = [] } = facts;
  const { origin, soa } = zone.spec;
  const zones = zonesByOrigin(facts.zones);
  const below = delegations(zone, zones, nodes);
  const around = { zone, zones, sites, nodes, previous: facts.previous };
  // Wildcards sort before all hosts.
  const names = [...previewNames(around), ...geoNames({ ...around, proofs })];
  const siteHosts = new Set(names.map(({ name }) => name));
  const sets = withProofs(recordSets(zone, nodes, siteHosts, below), {
    ...{ origin, hosts: siteHosts, proofs },
  });
  const { records, nameservers, problems } = sets;
  const nodeUids = candidateUids(names, nodes);
  const transfer = zoneTransfer(zone, names, nodes);
  const data = {
    zoneUid: zone.metadata.uid,
    origin,
    primaryNameserver: nameservers[0] ?? `ns.${origin}`,
    mailbox: soa.mailbox ?? `hostmaster.${origin}`,
    refreshS: soa.refreshS,
    retryS: soa.retryS,
    expireS: soa.expireS,
    negativeTtlS: soa.negativeTtlS,
    records,
    geoNames: names,
    ...(nodeUids === undefined ? {} : { nodeUids }),
    ...(facts.signing === undefined ? {} : { keys: publicKeys(facts.signing) }),
    ...(transfer === undefined ? {} : { transfer }),
  };
  return { data, nameservers, problems };
}

/** The same data keeps its serial, other data gets a greater one (INV-22). */
function versionOf(
  data: ZoneData,
  { zone, previous, serials }: ZoneFacts,
  nowMs: number,
): ZoneRecord {
  const { generation } = zone.metadata;
  const namesAsOf = (serial: number | undefined): ZoneData['geoNames'] =>
    answeredSince(data.geoNames, previous?.geoNames, serial);
  if (previous !== undefined) {
    const { serial, generation: _, ...before } = previous;
    const same = { ...data, geoNames: namesAsOf(undefined) };
    if (isDeepStrictEqual(before, same)) return { ...same, serial, generation };
  }
  const used = previous === undefined ? serials : [...serials, previous.serial];
  const serial = nextSerial(greatestSerial(used), nowMs);
  return { ...data, geoNames: namesAsOf(serial), serial, generation };
}

function serves(node: NodeView, zone: Zone, version: ZoneRecord | undefined): boolean {
  const report = reportOf(node, zone);
  if (report === undefined || report.serial !== version?.serial || report.error !== '')
    return false;
  return signsWith(report, version.keys ?? []);
}

function readyOf(
  { zone, nodes: all }: ZoneFacts,
  nodes: readonly NodeView[],
  current: readonly NodeView[],
  version: ZoneRecord | undefined,
): ConditionInput {
  const type = 'Ready';
  const trouble = withoutNameserver(all);
  if (trouble !== undefined) return { type, ...trouble };
  const served = `served by ${current.length}/${nodes.length} nameservers`;
  const upToDate = new Set(current);
  const behind = nodes.filter((node) => !upToDate.has(node));
  if (behind.length === 0) return { type, status: 'True', reason: 'Served', message: served };
  const names = shortList(behind.map((node) => describe(node, zone, version)));
  return {
    type,
    status: 'False',
    reason: 'Propagating',
    message: `${served}; waiting for ${names}`,
  };
}

/** `london`, or `london (what it says is wrong)`. */
function describe(node: NodeView, zone: Zone, version: ZoneRecord | undefined): string {
  const { name } = node;
  const report = reportOf(node, zone);
  if (report !== undefined && report.error !== '') return `${name} (${report.error})`;
  const isBehind = report === undefined || report.serial !== version?.serial;
  return isBehind ? name : `${name} (it serves the zone without its keys: update sub there)`;
}

function reportOf(node: NodeView, { metadata: { uid } }: Zone): ZoneOnNode | undefined {
  return node.report?.zones.find((each) => each.uid === uid);
}

function acceptedOf(problems: readonly string[]): ConditionInput {
  const type = 'RecordsAccepted';
  return problems.length === 0
    ? { type, status: 'True', reason: 'Accepted', message: 'every record is served' }
    : { type, status: 'False', reason: 'RecordsLeftOut', message: shortList(problems, '; ') };
}

function tooLarge({ spec }: Zone): ConditionInput {
  const fact = `${spec.origin} with its Sites is over ${VALUE_BYTES_MAX} bytes`;
  const mend = 'its last version goes on being served; move records into a Zone of a subdomain';
  const message = `${fact}: ${mend}`;
  return { type: 'RecordsAccepted', status: 'False', reason: 'ZoneTooLarge', message };
}

function refused(zone: Zone, answering: Zone, nowMs: number): ZonePlan {
  const older = qualifiedName(answering.metadata);
  const message = `the older Zone ${older} answers for ${zone.spec.origin}: delete one of them`;
  const inputs = [{ type: 'Ready', status: 'False', reason: 'OriginTaken', message } as const];
  return { record: undefined, status: statusOf(zone, inputs, nowMs) };
}

function statusOf(zone: Zone, inputs: readonly ConditionInput[], nowMs: number): ZoneStatus {
  const observedGeneration = zone.metadata.generation;
  const current = inputs.map((input) => ({ ...input, observedGeneration }));
  const conditions = replaceConditions(zone.status?.conditions ?? [], current, nowMs);
  return { observedGeneration, conditions };
}

/** So many that a person still reads them. */
const SHOWN_MAX = 10;

function shortList(items: readonly string[], separator = ', '): string {
  const more = items.length - SHOWN_MAX;
  const shown = items.slice(0, SHOWN_MAX).join(separator);
  return more > 0 ? `${shown} and ${more} more` : shown;
}
