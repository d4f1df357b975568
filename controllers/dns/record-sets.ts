import { isWithin } from '../../api/records.ts';
import type { Zone } from '../../api/zone.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import type { RecordSetRecord } from '../../runtime/store/records.ts';
import { declaredSets } from './declared-sets.ts';
import { DELEGATIONS_MAX, type Delegation, glueSets } from './delegations.ts';

export interface RecordSets {
  /** Sorted by name, then type. */
  readonly records: readonly RecordSetRecord[];
  /** Host names of the zone's name servers, the primary first; may be empty. */
  readonly nameservers: readonly string[];
  /** What was left out, and why, for a person. */
  readonly problems: readonly string[];
}

/**
 * The static record sets of a zone, its NS set, the name servers' own addresses, and what leads to
 * the Zones `below` it.
 */
export function recordSets(
  zone: Zone,
  nodes: readonly NodeView[],
  siteHosts: ReadonlySet<string>,
  below: readonly Delegation[] = [],
): RecordSets {
  const glue = glueSets(zone, nodes);
  const nameservers = zone.spec.nameservers ?? [...new Set(glue.map(({ name }) => name))];
  const wanted = new Set(nameservers);
  const sets = new Map<string, RecordSetRecord>();
  const problems: string[] = [];
  for (const { set, wrong } of declaredSets(zone.spec)) {
    problems.push(...wrong);
    const problem = refusal(set, zone, siteHosts);
    if (problem !== undefined) problems.push(`${set.name} ${set.type} ${problem}`);
    else if (set.values.length > 0) addSet(sets, set);
  }
  for (const set of glue) {
    // Only names that the NS set holds need glue; what a person declared goes before what we add.
    const isWanted = wanted.has(set.name) && !siteHosts.has(set.name);
    if (isWanted && !sets.has(keyOf(set))) addSet(sets, set);
  }
  problems.push(...removeClashingAliases(sets), ...addDelegations(sets, below, zone));
  problems.push(...removeStrayDigests(sets));
  problems.push(...missingGlue(nameservers, sets, zone, siteHosts));
  if (nameservers.length > 0) addSet(sets, nsSet(zone, nameservers));
  const records = [...sets.keys()].toSorted().flatMap((key) => sets.get(key) ?? []);
  return { records, nameservers, problems };
}

function nsSet(zone: Zone, nameservers: readonly string[]): RecordSetRecord {
  const values = nameservers.map((name) => `${name}.`);
  return { name: zone.spec.origin, type: 'NS', ttlS: zone.spec.ttl, values };
}

/** Why a static set cannot be served beside the rest of the zone; undefined: it can. */
function refusal(
  set: RecordSetRecord,
  { spec: { origin } }: Zone,
  siteHosts: ReadonlySet<string>,
): string | undefined {
  if (!isWithin(set.name, origin)) return `lies outside of ${origin}`;
  if (set.name === origin && (set.type === 'NS' || set.type === 'CNAME'))
    return 'cannot stand at the origin: name servers go into spec.nameservers';
  if (siteHosts.has(set.name) && ['A', 'AAAA', 'ALIAS', 'CNAME'].includes(set.type))
    return 'is left out, for a Site has this host: remove the record, or the host from the Site';
  if (set.type === 'NS') {
    const hidden = [...siteHosts].toSorted().find((host) => isWithin(host, set.name));
    if (hidden !== undefined)
      return `is left out, for it would delegate away ${hidden}, the host of a Site`;
  }
  return undefined;
}

/**
 * A CNAME cannot stand beside other data of its name (RFC 1034 §3.6.2), and an ALIAS not beside
 * addresses.
 */
function removeClashingAliases(sets: Map<string, RecordSetRecord>): readonly string[] {
  const names = Map.groupBy(sets.values(), ({ name }) => name);
  return [...sets.values()].flatMap((set) => {
    if (set.type !== 'CNAME' && set.type !== 'ALIAS') return [];
    const others = (names.get(set.name) ?? []).filter(
      ({ type }) => type !== set.type && (set.type === 'CNAME' || /^A(?:AAA)?$/.test(type)),
    );
    if (others.length === 0 && set.values.length === 1) return [];
    sets.delete(keyOf(set));
    return [`${set.name} ${set.type} is left out, for an alias must be alone at its name`];
  });
}

/** A DS says something of a delegation, and without one of nothing (RFC 4035 §2.4). */
function removeStrayDigests(sets: Map<string, RecordSetRecord>): readonly string[] {
  return [...sets.values()].flatMap((set) => {
    if (set.type !== 'DS' || sets.has(`${set.name} NS`)) return [];
    sets.delete(keyOf(set));
    return [`${set.name} DS is left out, for there are no NS records of its name`];
  });
}

/** What a person declared at such a name, or above it, goes before what we add. */
function addDelegations(
  sets: Map<string, RecordSetRecord>,
  below: readonly Delegation[],
  { spec: { origin: own } }: Zone,
): readonly string[] {
  const open = below.filter(({ origin }) => !isDelegated(sets, origin, own));
  const problems = open.slice(0, DELEGATIONS_MAX).flatMap(({ origin, sets: added }) => {
    if (sets.has(`${origin} CNAME`))
      return [`${origin} is a Zone of its own, and an alias here: remove the CNAME`];
    for (const set of added) if (!sets.has(keyOf(set))) addSet(sets, set);
    return [];
  });
  const left = open.length - DELEGATIONS_MAX;
  if (left <= 0) return problems;
  const fact = `more than ${DELEGATIONS_MAX} Zones lie right below ${own}`;
  return [...problems, `${fact}, and ${left} of them need NS records here: declare them`];
}

function isDelegated(
  sets: ReadonlyMap<string, RecordSetRecord>,
  origin: string,
  own: string,
): boolean {
  for (let name = origin; name !== own; name = name.slice(name.indexOf('.') + 1)) {
    if (sets.has(`${name} NS`)) return true;
  }
  return false;
}

function missingGlue(
  nameservers: readonly string[],
  sets: ReadonlyMap<string, RecordSetRecord>,
  { spec: { origin } }: Zone,
  siteHosts: ReadonlySet<string>,
): readonly string[] {
  return nameservers
    .filter((name) => isWithin(name, origin) && !siteHosts.has(name))
    .filter((name) => !sets.has(`${name} A`) && !sets.has(`${name} AAAA`))
    .map((name) => `${name} is a name server without an address: add an A or AAAA record`);
}

/** Sets of one name and type become one, with the lowest time to live (RFC 2181 §5.2). */
function addSet(sets: Map<string, RecordSetRecord>, set: RecordSetRecord): void {
  const known = sets.get(keyOf(set));
  if (known === undefined) {
    sets.set(keyOf(set), set);
    return;
  }
  const values = [...new Set([...known.values, ...set.values])];
  sets.set(keyOf(set), { ...known, ttlS: Math.min(known.ttlS, set.ttlS), values });
}

function keyOf({ name, type }: RecordSetRecord): string {
  return `${name} ${type}`;
}
