import type { NodePlan, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { packZone } from '../../runtime/dns/packed-zone.ts';
import type { LookUpForeign } from './borrow.ts';
import type { ServerIdentity } from './chaos.ts';
import type { Cookies } from './cookie/cookies.ts';
import { parseAddress } from './geo/address.ts';
import { type Locate, locateNothing, type Place, placeOf } from './geo/geography.ts';
import { type NameKey, parentOf, parseName, ROOT } from './message/name.ts';
import { type CompiledZone, compileZone } from './zone/zone.ts';
import { MadeNodes } from './zone/zone-nodes.ts';

/** A machine of the directory, as routing needs it. */
export interface DirectoryNode {
  readonly name: string;
  readonly ipv4: readonly Uint8Array[];
  readonly ipv6: readonly Uint8Array[];
  /** Undefined: nobody said where it stands. */
  readonly place: Place | undefined;
  readonly edge: boolean;
  /** Its lease at dom is alive. */
  readonly ready: boolean;
  /** A person keeps it out of new answers. */
  readonly unschedulable: boolean;
}

/** Node name → whether this nameserver's own probes reach it. Absent: not probed, so presumed up. */
export type HealthMap = ReadonlyMap<string, boolean>;

/**
 * All that answers are made from; immutable, replaced whole (INV-23).
 */
export interface DnsSnapshot {
  /** The node that answers. */
  readonly nameserver: string;
  /** By origin. */
  readonly zones: ReadonlyMap<NameKey, CompiledZone>;
  /** By node name. */
  readonly nodes: ReadonlyMap<string, DirectoryNode>;
  readonly health: HealthMap;
  readonly locate: Locate;
  /** Left out: nothing is known of names that are not served here. */
  readonly lookUpForeign?: LookUpForeign | undefined;
  /** Left out: cookies are neither given nor taken. */
  readonly cookies?: Cookies | undefined;
  /** Left out: nobody is told what this server is, except by NSID. */
  readonly identity?: ServerIdentity | undefined;
}

export interface ZoneOutcome {
  readonly uid: string;
  readonly name: string;
  /** The serial that is served now; undefined: none of this zone. */
  readonly serial: number | undefined;
  /** Of the keys that it is served with, sorted; left out: it is not signed. */
  readonly keyTags?: readonly number[];
  /** Undefined: what was asked for is served. */
  readonly error: string | undefined;
}

/** What plans were compiled to. */
export interface CompiledPlans {
  /** For as long as somebody holds them. */
  readonly zones: WeakMap<ZonePlan, CompiledZone>;
  /** Of all these zones together. */
  readonly made: MadeNodes;
}

export function noCompiledPlans(): CompiledPlans {
  return { zones: new WeakMap(), made: new MadeNodes() };
}

/**
 * Compiles every zone on its own, those that are in `compiled` not again. A malformed one does not
 * stop the others, and what was served of it before (in `previous`, by the same uid) is served on
 * (INV-5, INV-38). Outcomes in the order of `plans`.
 */
export function compileZones(
  plans: readonly ZonePlan[],
  previous: ReadonlyMap<NameKey, CompiledZone> = new Map(),
  compiled: CompiledPlans = noCompiledPlans(),
): {
  readonly zones: ReadonlyMap<NameKey, CompiledZone>;
  readonly outcomes: readonly ZoneOutcome[];
} {
  const zones = new Map<NameKey, CompiledZone>();
  const outcomes = plans.map((plan): ZoneOutcome => {
    const known = compiled.zones.get(plan);
    const { zone, error } =
      known === undefined ? compileOrKeep(plan, { previous, compiled }) : { zone: known };
    if (zone !== undefined) zones.set(zone.origin, zone);
    if (zone !== undefined && error === undefined) return zone.outcome;
    const { uid, name } = plan;
    return { ...(zone?.outcome ?? { uid, serial: undefined }), name, error };
  });
  return { zones, outcomes };
}

/** Of plans, between two pauses: some 3,000 record sets, 15 ms of work. */
const BYTES_BETWEEN_PAUSES = 128 * 1024;

/**
 * Compiles into `compiled` what is not there, with pauses: a million records take seconds, in which
 * queries and pings are to be answered. What is malformed is left for `compileZones` to report.
 */
export async function compileAhead(
  plans: readonly ZonePlan[],
  compiled: CompiledPlans,
  pause: () => Promise<void>,
): Promise<void> {
  let bytes = 0;
  for (const plan of plans) {
    if (compiled.zones.has(plan)) continue;
    try {
      compiled.zones.set(plan, compileZone(plan, compiled.made));
    } catch {
      // One malformed zone stops no other.
    }
    bytes += packZone(plan).bytes.length;
    if (bytes < BYTES_BETWEEN_PAUSES) continue;
    bytes = 0;
    await pause();
  }
}

/**
 * Addresses that are malformed are left out: the node's others still serve. A node whose place was
 * not declared stands where `locate` has its first address.
 */
export function compileDirectory(
  nodes: readonly NodePlan[],
  locate: Locate = locateNothing,
): ReadonlyMap<string, DirectoryNode> {
  return new Map(nodes.map((node) => [node.name, directoryNode(node, locate)]));
}

/** The zone that a name lies in: the one with the longest origin. */
export function zoneOf(
  zones: ReadonlyMap<NameKey, CompiledZone>,
  name: NameKey,
): CompiledZone | undefined {
  for (let origin = name; origin !== ROOT; origin = parentOf(origin)) {
    const zone = zones.get(origin);
    if (zone !== undefined) return zone;
  }
  return zones.get(ROOT);
}

function compileOrKeep(
  plan: ZonePlan,
  {
    previous,
    compiled,
  }: {
    readonly previous: ReadonlyMap<NameKey, CompiledZone>;
    readonly compiled: CompiledPlans;
  },
): { readonly zone: CompiledZone | undefined; readonly error?: string } {
  try {
    const zone = compileZone(plan, compiled.made);
    compiled.zones.set(plan, zone);
    return { zone };
  } catch (cause) {
    const kept = previous.get(parseName(plan.origin) ?? ROOT);
    const error = cause instanceof Error ? cause.message : String(cause);
    return { zone: kept?.uid === plan.uid ? kept : undefined, error };
  }
}

function directoryNode(node: NodePlan, locate: Locate): DirectoryNode {
  const first = node.ipv4[0] ?? node.ipv6[0];
  return {
    name: node.name,
    ipv4: addresses(node.ipv4, 4),
    ipv6: addresses(node.ipv6, 16),
    place: placeOf(node) ?? (first === undefined ? undefined : placeOf(locate(first))),
    edge: node.roles.includes('edge'),
    ready: node.ready,
    unschedulable: node.unschedulable,
  };
}

function addresses(texts: readonly string[], bytes: 4 | 16): readonly Uint8Array[] {
  return texts
    .map(parseAddress)
    .filter((address) => address !== undefined)
    .filter((address) => address.length === bytes);
}
