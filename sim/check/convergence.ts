import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../../api/node.ts';
import { condition, type Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import { digestHex } from '../../runtime/content/digest.ts';
import { type ObjectName, objectKey, recordKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import type { KeyValue } from '../../runtime/store/store.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { ask, askAsMember, request } from '../load/clients.ts';
import { TYPE_SOA } from '../load/dns-client.ts';
import { FIRST_MEMBER, passwordOf } from '../load/members.ts';
import { MEMBERS_PAGE } from '../load/pages.ts';
import {
  hostOf,
  NAMESPACE,
  type NodeWish,
  ORIGIN,
  SIDE_ORIGIN,
  SIDE_ZONE_NAME,
  type SiteWish,
  ZONE_NAME,
} from '../load/wish.ts';
import { pendingOnRepositories } from './git/repositories-pending.ts';
import { pendingOnCertificates } from './tls/certificates-pending.ts';

const CLIENT = '198.51.100.7';
const ZONES = [
  { name: ZONE_NAME, origin: ORIGIN },
  { name: SIDE_ZONE_NAME, origin: SIDE_ORIGIN },
];
const SITES = ['blog', 'docs', 'shop', 'wiki'];

/**
 * What the world still waits for, in words; empty: everything is as the users wished it, and said
 * to be so. Sites that can never become ready are nobody's wish.
 */
export async function pending(cluster: Cluster, nowMs: number): Promise<readonly string[]> {
  const { wish } = cluster;
  const waiting: string[] = [];
  for (const name of SITES) {
    const site = await read<Site>(cluster, { kind: 'Site', namespace: NAMESPACE, name });
    const wished = wish.sites.get(name);
    if (wished !== undefined) waiting.push(...pendingOnSite(site, cluster, wished));
    else if (site !== undefined) waiting.push(`Site ${name} to be gone`);
  }
  for (const { name } of ZONES) {
    const zone = await read<Zone>(cluster, { kind: 'Zone', namespace: NAMESPACE, name });
    if (wish.zones.has(name)) waiting.push(...notReady(`Zone ${name}`, zone));
    else if (zone !== undefined) waiting.push(`Zone ${name} to be gone`);
  }
  if (cluster.ca !== undefined) waiting.push(...(await pendingOnCertificates(cluster, nowMs)));
  if (cluster.git !== undefined)
    waiting.push(...(await pendingOnRepositories(cluster.git, cluster.store)));
  for (const { name } of cluster.machines) {
    const node = await read<Node>(cluster, { kind: 'Node', name });
    const wished = wish.nodes.get(name);
    if (wished !== undefined)
      waiting.push(...notReady(`Node ${name}`, node), ...withoutGeography(node));
    else if (node !== undefined) waiting.push(`Node ${name} to be gone`);
    // INV-8, as with sites.
    if (wished !== undefined && node !== undefined && useOf(node) !== wished.use)
      waiting.push(`Node ${name} to be ${wished.use}`);
  }
  for (const sub of cluster.subs) waiting.push(...(await pendingOnSub(cluster, sub, nowMs)));
  return waiting;
}

function pendingOnSite(
  site: Site | undefined,
  cluster: Cluster,
  { name, release, ttl, routing, previews, auth, accessLog }: SiteWish,
): readonly string[] {
  const isAsWished =
    site?.spec.content?.release === release.digest &&
    site.spec.ttl === ttl &&
    isDeepStrictEqual(site.spec.previews, previews) &&
    isDeepStrictEqual(site.spec.auth, auth) &&
    isDeepStrictEqual(site.spec.accessLog, accessLog) &&
    site.spec.routing.answers === routing.answers &&
    site.spec.routing.policy === routing.policy &&
    isDeepStrictEqual(site.spec.routing.regions, routing.regions) &&
    isDeepStrictEqual(site.spec.routing.fallback, routing.fallback);
  const named = site?.status?.dns?.candidates ?? [];
  const edges = cluster.machines.filter(
    (machine) => cluster.wish.nodes.has(machine.name) && machine.roles.includes('edge'),
  );
  // Other policies leave out nodes that came later than they were written.
  const unnamed =
    routing.policy === 'nearest' ? edges.filter((each) => !named.includes(each.name)) : [];
  return [
    // INV-8, too: the user was told that it was so.
    ...(isAsWished ? [] : [`Site ${name} to say what the user was told it says`]),
    ...notReady(`Site ${name}`, site),
    ...(previews === undefined ? [] : withoutPreviews(site)),
    ...(site?.status?.release === release.digest ? [] : [`Site ${name} to switch to its release`]),
    ...unnamed.map((each) => `${each.name} to be a candidate of Site ${name}`),
  ];
}

function notReady(name: string, object: Resource | undefined): readonly string[] {
  if (object === undefined) return [`${name}, which is not declared`];
  const ready = condition(object, 'Ready');
  if (ready === undefined) return [`${name} to say whether it is ready`];
  if (ready.status !== 'True') return [`${name}, which is ${ready.reason}: ${ready.message}`];
  return ready.observedGeneration === object.metadata.generation
    ? []
    : [`${name} to be looked at: its status is of an older generation`];
}

function useOf({ spec: { unschedulable, drain } }: Node): NodeWish['use'] {
  if (!unschedulable) return 'in use';
  return drain === true ? 'drained' : 'cordoned';
}

/** A Site is ready without them, and says later that it has them. */
function withoutPreviews(site: Site | undefined): readonly string[] {
  const shown = site === undefined ? undefined : condition(site, 'PreviewsReady');
  if (shown?.status === 'True') return [];
  return [`${site?.metadata.name} to have its previews: ${shown?.message}`];
}

/** A node is ready without its databases, and says later, once more, that it has them. */
function withoutGeography(node: Node | undefined): readonly string[] {
  const geography = node === undefined ? undefined : condition(node, 'GeographyReady');
  if (geography?.status !== 'False') return [];
  return [`${node?.metadata.name} to have its geography: ${geography.message}`];
}

/** A node that was removed, or never joined, has no say; it may serve what it has. */
async function pendingOnSub(cluster: Cluster, sub: Sub, nowMs: number): Promise<readonly string[]> {
  const { host, running, machine } = sub;
  if (!cluster.wish.nodes.has(host.name)) return pendingOnStranger(cluster, sub);
  if (running?.serving === undefined) return [`${host.name} to serve anything`];
  const { phase } = running.agent.state().session;
  const waiting = phase === 'connected' ? [] : [`${host.name} to reach dom: it is ${phase}`];
  const clients = running.inEffect?.snapshot.edge.clients ?? 'stay';
  const isDrained = cluster.wish.nodes.get(host.name)?.use === 'drained';
  if ((clients === 'leave') !== isDrained)
    waiting.push(`${host.name} to let its clients ${isDrained ? 'go' : 'stay'}`);
  for (const name of SITES) {
    const wished = cluster.wish.sites.get(name);
    if (machine.roles.includes('edge')) waiting.push(...(await pendingOnEdge(sub, name, wished)));
    if (cluster.sites === 'elaborate' && wished !== undefined)
      waiting.push(...(await pendingOnMembers(cluster, sub, { ...wished, nowMs })));
    const reply = ask(cluster, { nameserver: sub, client: CLIENT, nowMs, name: hostOf(name) });
    if (reply === 'down' || !cluster.wish.zones.has(ZONE_NAME)) continue;
    const isNamed = (reply?.addresses.length ?? 0) > 0;
    if (isNamed !== (wished !== undefined))
      waiting.push(`${host.name} to know whether there is a site ${name}`);
  }
  return [...waiting, ...pendingOnNameserver(cluster, sub, nowMs)];
}

/** INV-26 for zones. */
function pendingOnNameserver(cluster: Cluster, nameserver: Sub, nowMs: number): readonly string[] {
  return ZONES.flatMap(({ name, origin }) => {
    const question = { nameserver, client: CLIENT, nowMs, name: origin, type: TYPE_SOA };
    const reply = ask(cluster, question);
    if (reply === 'down') return [];
    const isKnown = reply?.rcode === 0;
    if (isKnown === cluster.wish.zones.has(name)) return [];
    return [`${nameserver.host.name} to know whether there is a Zone ${name}`];
  });
}

/** INV-36. It may knock for ever; what counts is whether dom takes it in. */
async function pendingOnStranger({ store }: Cluster, { host }: Sub): Promise<readonly string[]> {
  const session = await store.get(recordKey('session', host.name));
  return session === undefined ? [] : [`${host.name}, which was removed, to be let go`];
}

/** INV-26, where the site is not wished. */
async function pendingOnEdge(
  { host, running }: Sub,
  name: string,
  wished: SiteWish | undefined,
): Promise<readonly string[]> {
  const answer = await running?.serving?.request(request('/', hostOf(name)));
  if (wished === undefined)
    return answer?.status === 421
      ? []
      : [`${host.name} to answer 421 for the site ${name}, not ${answer?.status}`];
  const mark = answer?.headers.find(([each]) => each === 'b8s-release')?.[1];
  const wanted = digestHex(wished.release.digest).slice(0, 12);
  return mark === wanted ? [] : [`${host.name} to serve ${wanted} of ${name} instead of ${mark}`];
}

/** INV-46: the password of now opens, that of before does not. */
async function pendingOnMembers(
  cluster: Cluster,
  sub: Sub,
  { name, auth, nowMs }: Pick<SiteWish, 'name' | 'auth'> & { readonly nowMs: number },
): Promise<readonly string[]> {
  const { membersVersion } = cluster.wish;
  // Of one address only so many wrong passwords are looked at.
  const second = Math.floor(nowMs / 1_000);
  const client = `203.0.${Math.floor(second / 256) % 256}.${second % 256}`;
  const waiting: string[] = [];
  for (const version of [membersVersion, membersVersion - 1]) {
    const credentials = { user: FIRST_MEMBER, password: passwordOf(FIRST_MEMBER, version) };
    const asked = { host: hostOf(name), path: MEMBERS_PAGE.path, client, credentials };
    const answer = await askAsMember(cluster, sub, asked);
    const wanted = auth === undefined || version === membersVersion ? 200 : 401;
    if (answer === undefined || answer.status === wanted) continue;
    const what = `${wanted} for members of ${name} with password ${version}`;
    waiting.push(`${sub.host.name} to answer ${what}, not ${answer.status}`);
  }
  return waiting;
}

async function read<R extends Resource>(
  { store }: Cluster,
  name: ObjectName,
): Promise<R | undefined> {
  const item = await store.get(objectKey(name));
  if (item === undefined) return undefined;
  // It is asked for once a second, and seldom another.
  const object = known.get(item) ?? decodeObject(item);
  known.set(item, object);
  return object as R;
}

const known = new WeakMap<KeyValue, Resource>();
