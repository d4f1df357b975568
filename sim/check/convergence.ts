import type { Node } from '../../api/node.ts';
import { condition, type Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import { digestHex } from '../../runtime/digest.ts';
import { type ObjectName, objectKey } from '../../runtime/keys.ts';
import { decodeObject } from '../../runtime/mirror.ts';
import { type Cluster, OTHER_HOST, OTHER_SITE, SITE, ZONE } from '../cluster/cluster.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { ask, request } from '../load/clients.ts';
import type { Wish } from '../load/scenario.ts';

/**
 * What the world still waits for, in words; empty: everything is as the user wished it, and said to
 * be so. `wish` undefined: the user is not done yet.
 */
export async function pending(
  cluster: Cluster,
  wish: Wish | undefined,
  nowMs: number,
): Promise<readonly string[]> {
  if (wish === undefined) return ['the user waits for dom to acknowledge a change'];
  const site = await read<Site>(cluster, { kind: 'Site', ...SITE });
  const zone = await read<Zone>(cluster, { kind: 'Zone', ...ZONE });
  const nodes = await Promise.all(
    cluster.subs.map(({ host }) => read<Node>(cluster, { kind: 'Node', name: host.name })),
  );
  const ofSubs = await Promise.all(cluster.subs.map((sub) => pendingOnSub(sub, wish, nowMs)));
  return [
    ...pendingOnSite(site, cluster, wish),
    ...pendingOnOther(await read<Site>(cluster, { kind: 'Site', ...OTHER_SITE }), wish),
    ...notReady('Zone', zone),
    ...nodes.flatMap((node) => notReady('Node', node)),
    ...ofSubs.flat(),
  ];
}

function pendingOnSite(site: Site | undefined, cluster: Cluster, wish: Wish): readonly string[] {
  const { release, ttl, answers } = wish;
  const isAsWished =
    site?.spec.content?.release === release.digest &&
    site.spec.ttl === ttl &&
    site.spec.routing.answers === answers;
  const named = site?.status?.dns?.candidates ?? [];
  const unnamed = cluster.subs.filter(({ host }) => !named.includes(host.name));
  return [
    // INV-8, too: the user was told that it was so.
    ...(isAsWished ? [] : ['the Site does not say what the user was told it says']),
    ...notReady('Site', site),
    ...(site?.status?.release === release.digest ? [] : ['the Site to switch to its release']),
    ...unnamed.map(({ host }) => `${host.name} to be a candidate of the Site`),
  ];
}

function pendingOnOther(site: Site | undefined, { otherSite }: Wish): readonly string[] {
  if (otherSite === 'declared') return notReady('second Site', site);
  return site === undefined ? [] : ['the second Site to be gone'];
}

function notReady(kind: string, object: Resource | undefined): readonly string[] {
  if (object === undefined) return [`a ${kind} that is not declared`];
  const name = `${kind} ${object.metadata.name}`;
  const ready = condition(object, 'Ready');
  if (ready === undefined) return [`${name} to say whether it is ready`];
  if (ready.status !== 'True') return [`${name}, which is ${ready.reason}: ${ready.message}`];
  return ready.observedGeneration === object.metadata.generation
    ? []
    : [`${name} to be looked at: its status is of an older generation`];
}

async function pendingOnSub(
  sub: Sub,
  { release, otherSite }: Wish,
  nowMs: number,
): Promise<readonly string[]> {
  const { host, running } = sub;
  const plane = running?.serving;
  if (running === undefined || plane === undefined) return [`${host.name} to serve anything`];
  const { session } = running.agent.state();
  const answer = await plane.request(request('/'));
  const mark = answer.headers.find(([name]) => name === 'b8s-release')?.[1];
  const reply = ask(sub, '198.51.100.7', nowMs);
  const other = await plane.request(request('/', OTHER_HOST));
  const otherReply = ask(sub, '198.51.100.7', nowMs, OTHER_HOST);
  const otherNamed = typeof otherReply === 'object' && otherReply.addresses.length > 0;
  const others =
    otherSite === 'declared' ? { status: 200, named: true } : { status: 421, named: false };
  const isAnswered = typeof reply === 'object' && reply.addresses.length > 0;
  const wanted = digestHex(release.digest).slice(0, 12);
  return [
    ...(session.phase === 'connected' ? [] : [`${host.name} to reach dom: it is ${session.phase}`]),
    ...(mark === wanted ? [] : [`${host.name} to serve ${wanted} instead of ${mark}`]),
    ...(isAnswered ? [] : [`${host.name} to answer for the site's name`]),
    // INV-26, where it is absent.
    ...(other.status === others.status
      ? []
      : [`${host.name} to answer ${others.status} for the second site, not ${other.status}`]),
    ...(otherNamed === others.named
      ? []
      : [`${host.name} to know that the second site is ${otherSite}`]),
  ];
}

async function read<R extends Resource>(
  { store }: Cluster,
  name: ObjectName,
): Promise<R | undefined> {
  const item = await store.get(objectKey(name));
  return item === undefined ? undefined : (decodeObject(item) as R);
}
