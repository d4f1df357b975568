import { INTERNAL_ISSUER } from '../../api/issuer.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Machine } from '../cluster/machines.ts';
import type { SeededRandom } from '../engine/random.ts';
import { ISSUERS } from './applicant.ts';
import { SITES } from './clients.ts';
import { makeRelease, type Published } from './content.ts';
import { drain, takeBack } from './drain.ts';
import { drawPreviews } from './draw-previews.ts';
import { drawRouting } from './draw-routing.ts';
import { changeMembers, declareMembers, drawGuard } from './members.ts';
import { rollOut } from './rolling.ts';
import type { User } from './user.ts';
import {
  hostOf,
  NAMESPACE,
  type NodeWish,
  ORIGIN,
  SIDE_ORIGIN,
  SIDE_ZONE_NAME,
  type SiteWish,
  type Wish,
  ZONE_NAME,
  type ZoneWish,
} from './wish.ts';

/** What one person does things with; `random` is the operation's own. */
export interface Hand {
  readonly cluster: Cluster;
  readonly user: User;
  readonly random: SeededRandom;
  /** The sites that are this person's alone. */
  readonly sites: readonly string[];
  readonly clock: Clock;
}

export interface OperationKind {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** Machines, zones and the like are one person's business. */
  readonly by: 'anyone' | 'operator';
  readonly run: (hand: Hand) => Promise<void>;
}

/** Everything that people do in a world. Those that cannot be done by now do nothing. */
export const OPERATIONS: Readonly<Record<string, OperationKind>> = {
  publish: { weight: 6, by: 'anyone', run: publishNext },
  rollback: { weight: 3, by: 'anyone', run: rollBack },
  configure: { weight: 3, by: 'anyone', run: configure },
  'toggle-site': { weight: 4, by: 'anyone', run: toggleSite },
  recreate: { weight: 2, by: 'anyone', run: recreateSite },
  look: { weight: 2, by: 'anyone', run: look },
  nonsense: { weight: 2, by: 'anyone', run: nonsense },
  poison: { weight: 1, by: 'operator', run: poison },
  records: { weight: 2, by: 'operator', run: changeRecords },
  'recreate-zone': { weight: 1, by: 'operator', run: recreateZone },
  'toggle-zone': { weight: 2, by: 'operator', run: toggleZone },
  cordon: { weight: 2, by: 'operator', run: toggleCordon },
  'remove-node': { weight: 2, by: 'operator', run: removeNode },
  'join-node': { weight: 4, by: 'operator', run: joinNode },
};

export const FIRST_ZONE: ZoneWish = { name: ZONE_NAME, origin: ORIGIN, version: 1 };
/** Of the releases that are published: which are rolled out batch by batch. */
const ROLLED_SHARE = 0.2;
const SIDE_ZONE_MS_MAX = 10_000;
const CORDONED_MS_MAX = 10_000;
/** Of the nodes that are cordoned. */
const DRAINED_SHARE = 0.4;

/** A zone, and the first of this person's sites, in either order. */
export async function declareFirst(hand: Hand, isOperator: 'operator' | 'other'): Promise<void> {
  const [first] = hand.sites;
  if (first === undefined) return;
  const zoneFirst = hand.random.chance(0.5);
  if (isOperator === 'operator' && hand.cluster.sites === 'elaborate')
    await declareMembers(hand, 1);
  if (isOperator === 'operator' && zoneFirst) await applyZone(hand, FIRST_ZONE);
  await createSite(hand, first);
  if (isOperator === 'operator' && !zoneFirst) await applyZone(hand, FIRST_ZONE);
}

/** Makes a machine a node, and starts sub there. */
export async function join({ cluster, user }: Hand, machine: Machine): Promise<void> {
  const { name, ipv4, location, roles } = machine;
  const identity = await user.join(name, { ipv4: [ipv4], location, roles });
  cluster.wish.nodes.set(name, { use: 'in use' });
  await cluster.install(name, identity);
}

/** Declares all of a wish at once, as somebody who begins anew with what is left in the end. */
export async function declareAll(hand: Hand, wish: Wish): Promise<void> {
  const { cluster, user } = hand;
  const { nodes, zones, sites, membersVersion } = wish;
  if (membersVersion > 0) await declareMembers(hand, membersVersion);
  for (const machine of cluster.machines) if (nodes.has(machine.name)) await join(hand, machine);
  for (const zone of zones.values()) await applyZone(hand, zone);
  for (const site of sites.values()) {
    cluster.published(site.name, site.release);
    await user.publish(site.release, site.name);
    await applySite(hand, site);
  }
  for (const [name, { use }] of nodes) if (use !== 'in use') await applyNode(hand, name, use);
}

export async function publishNext(hand: Hand): Promise<void> {
  const site = anySite(hand);
  if (site === undefined) return;
  const release = await publish(hand, site.name);
  const next = { ...site, release, releases: [...site.releases, release] };
  // Drawn on its own, so that a world without is the same as ever; an older dom does not know it.
  const isRolled = hand.random.fork('rolled').chance(ROLLED_SHARE);
  if (isRolled && hand.cluster.versions.count === 'one')
    await rollOut(hand, next, { apply: applySite, publish });
  else await applySite(hand, next);
}

async function rollBack(hand: Hand): Promise<void> {
  const site = anySite(hand);
  if (site === undefined) return;
  await applySite(hand, { ...site, release: hand.random.pick(site.releases.slice(-3)) });
}

export async function configure(hand: Hand): Promise<void> {
  const site = anySite(hand);
  if (site === undefined) return;
  const ttl = hand.random.integer(5, 60);
  const routing = drawRouting(hand.cluster.wish, hand.random);
  const { auth: _, accessLog: __, ...plain } = site;
  const previews = drawPreviews(hand);
  await applySite(hand, { ...plain, ttl, routing, previews, ...drawGuard(hand) });
}

/** Declares a site that is not there, or deletes one that is. The first one stays. */
async function toggleSite(hand: Hand): Promise<void> {
  const [, ...others] = hand.sites;
  if (others.length === 0) return;
  const name = hand.random.pick(others);
  if (hand.cluster.wish.sites.has(name)) await deleteSite(hand, name);
  else await createSite(hand, name);
}

/** Another object under the same name, at once, and perhaps from the same content. */
async function recreateSite(hand: Hand): Promise<void> {
  const site = anySite(hand);
  if (site === undefined) return;
  await deleteSite(hand, site.name);
  await hand.clock.sleep(hand.random.pick([0, 0, hand.random.integer(0, 3_000)]));
  if (hand.random.chance(0.5)) return createSite(hand, site.name);
  const again = hand.random.pick(site.releases);
  await hand.user.publish(again, site.name);
  await createSite(hand, site.name, { release: again });
}

export async function look(hand: Hand): Promise<void> {
  const site = anySite(hand);
  if (site !== undefined) await hand.user.look(declaredSite(site));
  // Now and then at what somebody else may be changing.
  await hand.user.get({ kind: 'Site', namespace: NAMESPACE, name: hand.random.pick(SITES) });
}

async function nonsense({ cluster, user, random, sites }: Hand): Promise<void> {
  const name = sites[0] ?? 'blog';
  const spec = random.pick([
    { hosts: ['not a host'] },
    { hosts: [hostOf(name)], ttl: -1 },
    { hosts: [hostOf(name)], content: { release: '../../etc/passwd' } },
    { hosts: [hostOf(name)], routing: { answers: 1_000 } },
    { hosts: Array.from({ length: 65 }, (_, index) => `h${index}.${ORIGIN}`) },
    { hosts: [hostOf(name)], headers: [{ path: '/', name: 'x', value: 'y'.repeat(2_000_000) }] },
  ]);
  // What another Site has is not to be had, however well it is asked for.
  const isGrab = cluster.wish.sites.has(name) && random.chance(0.4);
  const metadata = { namespace: NAMESPACE, name: isGrab ? `grab-${name}` : name };
  const wanted = isGrab ? { hosts: [hostOf(name)] } : spec;
  await user.applyInvalid({ kind: 'Site', metadata, spec: wanted }, [
    'INVALID_ARGUMENT',
    'RESOURCE_EXHAUSTED',
  ]);
}

/** A site that can never become ready: its release is nowhere, or its issuer is. */
async function poison({ cluster, user, random }: Hand): Promise<void> {
  const name = `poison-${random.integer(1, 3)}`;
  const wrong = random.pick([
    { content: { release: `sha256-${'0'.repeat(64)}` } },
    { tls: { issuer: 'nowhere' } },
  ]);
  const metadata = { namespace: NAMESPACE, name };
  await user.apply({ kind: 'Site', metadata, spec: { hosts: [hostOf(name)], ...wrong } });
  cluster.wish.poisoned.add(name);
}

export async function changeRecords(hand: Hand): Promise<void> {
  if (hand.cluster.sites === 'elaborate') await changeMembers(hand);
  const zone = hand.cluster.wish.zones.get(ZONE_NAME);
  if (zone !== undefined) await applyZone(hand, { ...zone, version: zone.version + 1 });
}

async function recreateZone(hand: Hand): Promise<void> {
  const { cluster, user, random } = hand;
  const zone = cluster.wish.zones.get(ZONE_NAME);
  if (zone === undefined) return;
  await user.delete({ kind: 'Zone', namespace: NAMESPACE, name: ZONE_NAME });
  await hand.clock.sleep(random.integer(0, 3_000));
  await applyZone(hand, { ...zone, version: zone.version + 1 });
}

/** A zone without sites; half of them are gone soon: what outlives them is nobody's (INV-26). */
async function toggleZone(hand: Hand): Promise<void> {
  const { cluster, user, random } = hand;
  const [name, origin] = [SIDE_ZONE_NAME, SIDE_ORIGIN];
  if (!cluster.wish.zones.has(name)) {
    await applyZone(hand, { name, origin, version: random.integer(1, 1_000) });
    if (random.chance(0.5)) return;
    await hand.clock.sleep(random.integer(0, SIDE_ZONE_MS_MAX));
  }
  await user.delete({ kind: 'Zone', namespace: NAMESPACE, name });
  cluster.wish.zones.delete(name);
}

/** As `b8sctl cordon` and `uncordon` do it; or takes it out of service for a while. */
async function toggleCordon(hand: Hand): Promise<void> {
  const { cluster, random } = hand;
  const nodes = [...cluster.wish.nodes.keys()];
  if (nodes.length === 0) return;
  const name = random.pick(nodes);
  if (cluster.wish.nodes.get(name)?.use === 'drained') return takeBack(hand, name);
  // Drawn on its own; an older node cannot be drained.
  const isDrained = random.fork('drain').chance(DRAINED_SHARE);
  if (isDrained && cluster.versions.count === 'one') return drain(hand, name);
  await applyNode(hand, name, 'cordoned');
  await hand.clock.sleep(random.integer(0, CORDONED_MS_MAX));
  if (random.chance(0.7)) await applyNode(hand, name, 'in use');
}

async function applyNode(
  { cluster, user }: Hand,
  name: string,
  use: NodeWish['use'],
): Promise<void> {
  if (!cluster.wish.nodes.has(name)) return;
  const isDrained = use === 'drained';
  const spec = { unschedulable: use !== 'in use', ...(isDrained && { drain: true }) };
  await user.apply({ kind: 'Node', metadata: { name }, spec });
  cluster.wish.nodes.set(name, { use });
}

/** The first machine, which has all roles, stays: a cluster without any node has nothing to show. */
async function removeNode(hand: Hand): Promise<void> {
  const { cluster, user, random } = hand;
  const [first] = cluster.machines;
  const others = [...cluster.wish.nodes.keys()].filter((name) => name !== first?.name);
  if (others.length === 0) return;
  const name = random.pick(others);
  cluster.checks.drained(name, 'taken back');
  await user.delete({ kind: 'Node', name });
  cluster.wish.nodes.delete(name);
  const machine = cluster.machines.find((each) => each.name === name);
  if (machine === undefined || !random.chance(0.4)) return;
  // Set up anew, and another Node of the same name.
  await hand.clock.sleep(random.pick([0, random.integer(0, 5_000)]));
  await join(hand, machine);
}

/** A machine that is not a node by now, perhaps for the second time: then it is set up anew. */
async function joinNode(hand: Hand): Promise<void> {
  const { cluster } = hand;
  const free = cluster.machines.filter(({ name }) => !cluster.wish.nodes.has(name));
  if (free.length > 0) await join(hand, hand.random.pick(free));
}

function anySite({ cluster, sites, random }: Hand): SiteWish | undefined {
  const declared = sites.flatMap((name) => cluster.wish.sites.get(name) ?? []);
  return declared.length === 0 ? undefined : random.pick(declared);
}

export async function createSite(
  hand: Hand,
  name: string,
  {
    release,
    issuer = drawIssuer(hand),
  }: { readonly release?: Published; readonly issuer?: string } = {},
): Promise<void> {
  const first = release ?? (await publish(hand, name));
  await applySite(hand, {
    name,
    issuer: issuer ?? drawIssuer(hand),
    previews: drawPreviews(hand),
    ...drawGuard(hand),
    host: hostOf(name),
    release: first,
    releases: [first],
    ttl: 10,
    routing: { policy: 'nearest', answers: 1 },
  });
}

/** Drawn on its own, so that a world without a CA is the same as ever. */
function drawIssuer({ cluster, random }: Hand): string | undefined {
  if (cluster.ca === undefined) return undefined;
  return random.fork('issuer').pick([INTERNAL_ISSUER, ...Object.keys(ISSUERS)]);
}

export async function deleteSite({ cluster, user }: Hand, name: string): Promise<void> {
  await user.delete({ kind: 'Site', namespace: NAMESPACE, name });
  cluster.wish.sites.delete(name);
}

export async function publish({ cluster, user, random }: Hand, site: string): Promise<Published> {
  const version = cluster.releasesOf(site).length + 1;
  const release = makeRelease(site, version, random, cluster.sites);
  cluster.published(site, release);
  await user.publish(release, site);
  return release;
}

export async function applySite(
  { cluster, user, random }: Hand,
  site: SiteWish,
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const declared = declaredSite(site);
  const object = { ...declared, metadata: { ...declared.metadata, annotations } };
  await user.apply(object);
  cluster.wish.sites.set(site.name, site);
  if (random.chance(0.2)) await user.look(object);
}

function declaredSite(site: SiteWish): {
  readonly kind: 'Site';
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: object;
} {
  const { name, host, release, ttl, routing, rollout, issuer, previews, auth, accessLog } = site;
  const tls = issuer === undefined ? {} : { tls: { issuer } };
  const spec = {
    ...{ hosts: [host], content: { release: release.digest }, routing, ttl, ...tls },
    ...(rollout !== undefined && { rollout }),
    ...(previews !== undefined && { previews }),
    ...(auth !== undefined && { auth }),
    ...(accessLog !== undefined && { accessLog }),
  };
  return { kind: 'Site', metadata: { namespace: NAMESPACE, name }, spec };
}

export async function applyZone({ cluster, user }: Hand, zone: ZoneWish): Promise<void> {
  const { name, origin, version } = zone;
  const values = [`a=${version}`, `b=${version}`];
  // Fits a large packet, but no small one.
  const many = Array.from({ length: 9 }, (_, index) => `${index}=${version}`.padEnd(90, '-'));
  const records = [
    { name: '@', type: 'TXT', values },
    ...apexAlias(zone),
    { name: 'big', type: 'TXT', values: many },
  ];
  const metadata = { namespace: NAMESPACE, name };
  await user.apply({
    kind: 'Zone',
    metadata,
    spec: { origin, records, dnssec: drawnSigning(zone) },
  });
  cluster.wish.zones.set(name, zone);
}

/** Of most versions the apex is where some site is, in this zone or in another one. */
function apexAlias({ version }: ZoneWish): readonly object[] {
  const target = SITES[version % (SITES.length + 1)];
  return target === undefined
    ? []
    : [{ name: '@', type: 'ALIAS', ttl: 20, values: [`${hostOf(target)}.`] }];
}

/** Whether a version is signed, and with which key: zones begin without, and go back and forth. */
function drawnSigning({ version }: ZoneWish): object {
  const common = { keyGeneration: 1 + (version % 3), parentTtlS: 60 };
  return version % 2 === 0
    ? { ...common, mode: 'signed' }
    : { ...common, mode: 'off', parentDs: [] };
}
