import { isDeepStrictEqual } from 'node:util';
import type { Certificate } from '../../api/certificate.ts';
import { previewCertificateName, previewWildcard } from '../../api/previews.ts';
import type { Release } from '../../api/release.ts';
import type { Site, SiteStatus } from '../../api/site.ts';
import type { Clock } from '../../runtime/clock.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import { type ZonesByOrigin, zoneOfHost, zonesByOrigin } from '../../runtime/dns/zones.ts';
import { hasRole, nodeViews } from '../../runtime/session/node-view.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import {
  type Author,
  type Operation,
  ownedBy,
  owning,
  type Writer,
} from '../../runtime/store/writer.ts';
import { noTraffic, type SiteTraffic } from '../../runtime/traffic/site-traffic.ts';
import { serving } from './abilities.ts';
import { unreachableEdges } from './health.ts';
import { notes } from './notes.ts';
import { type PreviewsOfSite, planSite } from './plan.ts';
import type { HostOnDns } from './readiness.ts';
import { planReleases, releasesInUse } from './releases.ts';
import { Watches } from './watches.ts';

const AUTHOR: Author = { manager: 'content-controller', user: 'dom' };

interface ContentPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly events: EventRecorder;
  /** Left out: how edges answer is not known, and no rollout is judged by it. */
  readonly traffic?: SiteTraffic | undefined;
}

/**
 * Decides which release each Site is served from, and keeps its status; a name is a Site's. Takes
 * over the Releases of a Site, and removes the oldest ones.
 */
export function contentController(ports: ContentPorts): Controller {
  const watches = new Watches(ports.traffic ?? noTraffic);
  return {
    name: 'content',
    affected: (change) => affected(ports.world, change),
    reconcile: (name) => reconcile(ports, watches, name),
  };
}

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record')
    return ['session', 'report', 'zone'].includes(change.record)
      ? everySite(world)
      : change.record === 'access'
        ? [change.id]
        : [];
  const { object, before } = change;
  const name = qualifiedName(object.metadata);
  if (isKind(object, 'Site')) return [name];
  // That of previews has no Site's name, but the Sites that share it.
  if (isKind(object, 'Certificate')) return [name, ...sharing(world, object)];
  if (isKind(object, 'Node') || isKind(object, 'Zone')) {
    // Labels are no part of the spec, and regions choose nodes by them.
    const isRelabelled = !isDeepStrictEqual(object.metadata.labels, before?.metadata.labels);
    return isBeyondStatus(change) || isRelabelled ? everySite(world) : [];
  }
  return isKind(object, 'Release') ? sitesOf(world, object) : [];
}

function sharing(world: World, { metadata: { namespace, name } }: Certificate): readonly string[] {
  return world
    .list('Site')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(({ spec: { previews } }) => previews && previewCertificateName(previews) === name)
    .map(({ metadata }) => qualifiedName(metadata));
}

function everySite(world: World): readonly string[] {
  return world.list('Site').map(({ metadata }) => qualifiedName(metadata));
}

function sitesOf(world: World, release: Release): readonly string[] {
  const { name, namespace, ownerReferences = [] } = release.metadata;
  const owners = new Set(ownerReferences.map(({ uid }) => uid));
  return world
    .list('Site')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(
      (site) =>
        site.metadata.name === release.spec.site ||
        owners.has(site.metadata.uid) ||
        releasesInUse(site).includes(name),
    )
    .map(({ metadata }) => qualifiedName(metadata));
}

async function reconcile(ports: ContentPorts, watches: Watches, name: string): Promise<Outcome> {
  const { world, writer, clock, events } = ports;
  const { namespace } = splitName(name);
  const site = world.get('Site', splitName(name));
  if (site === undefined || site.metadata.deletionTimestamp !== undefined) {
    watches.keep(new Set(world.list('Site').map(({ metadata }) => metadata.uid)));
    return 'settled';
  }
  const desired = site.spec.content?.release;
  const release =
    desired === undefined ? undefined : world.get('Release', { namespace, name: desired });
  const nodes = nodeViews(world);
  const zones = zonesByOrigin(world.list('Zone'));
  const { able: edges, tooOld } = serving(
    site,
    nodes.filter((node) => hasRole(node, 'edge')),
  );
  const unreachable = unreachableEdges(nodes);
  const { status, recheckInMs } = planSite(
    {
      ...{ site, release, edges, unreachable, tooOld },
      verdict: watches.look({ site, edges, unreachable }, clock.monotonicMs()),
      certificate: world.get('Certificate', splitName(name)),
      access: world.record('access', name)?.value,
      hosts: site.spec.hosts.map((host) => hostOnDns({ world, zones }, host, site)),
      nameservers: nodes.filter((node) => hasRole(node, 'nameserver')),
      previews: previewsOf({ world, zones }, site),
    },
    clock.nowMs(),
  );
  const operations: Operation[] = [
    { kind: 'status', base: site, status },
    ...releaseOperations(world, { ...site, status }, site),
  ];
  // What is switched to must still be there when the switch is written.
  if (release !== undefined && isSwitched(site, status))
    operations.push({ kind: 'expect', base: release });
  const written = await writer.commit(operations, AUTHOR);
  if (written.outcome === 'written')
    for (const note of notes(site, status, AUTHOR.manager)) events.record(note);
  return afterWrite(written, recheckInMs);
}

function previewsOf(facts: DnsFacts, site: Site): PreviewsOfSite | undefined {
  const { namespace } = site.metadata;
  const { previews } = site.spec;
  if (previews === undefined) return undefined;
  return {
    // Others may have their previews there as well.
    host: hostOnDns(facts, previewWildcard(previews), undefined),
    releases: facts.world
      .list('Release')
      .filter(({ metadata }) => metadata.namespace === namespace),
    certificate: facts.world.get('Certificate', {
      namespace,
      name: previewCertificateName(previews),
    }),
  };
}

interface DnsFacts {
  readonly world: World;
  readonly zones: ZonesByOrigin;
}

/** `site`: whose it must be; undefined: anybody's. */
function hostOnDns({ world, zones }: DnsFacts, host: string, site: Site | undefined): HostOnDns {
  const zone = zoneOfHost(zones, host);
  if (zone === undefined) return { host, zone: undefined, candidates: [] };
  const id = qualifiedName(zone.metadata);
  const { zoneUid: uid = '', geoNames = [] } = world.record('zone', id)?.value ?? {};
  const name = geoNames.find((each) => each.name === host);
  const isOwn = site === undefined || name?.siteUid === site.metadata.uid;
  if (name === undefined || name.standIn !== undefined || !isOwn)
    return { host, zone: id, candidates: [] };
  const { candidates, since } = name;
  return {
    host,
    zone: id,
    candidates,
    ...(since !== undefined && { since: { uid, serial: since } }),
  };
}

/** `planned`: the Site as it will be; `site`: as it was read, which every write is bound to. */
function releaseOperations(world: World, planned: Site, site: Site): readonly Operation[] {
  const { namespace, uid } = site.metadata;
  const isHere = ({ metadata }: Site | Release): boolean => metadata.namespace === namespace;
  const others = world.list('Site').filter((each) => isHere(each) && each.metadata.uid !== uid);
  const plan = planReleases({
    site: planned,
    sites: [planned, ...others],
    releases: world.list('Release').filter(isHere),
  });
  const operations: readonly Operation[] = [
    ...plan.adopt.map((base) => owning(base, ownedBy(site))),
    ...plan.release.map((base): Operation => {
      const owners = (base.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      const metadata = { ...base.metadata, ownerReferences: owners };
      return { kind: 'replace', base, next: { ...base, metadata } };
    }),
    ...plan.remove.map((base): Operation => ({ kind: 'delete', base })),
  ];
  return operations.length === 0 ? [] : [{ kind: 'expect', base: site }, ...operations];
}

function isSwitched({ status: before }: Site, { release, ahead }: SiteStatus): boolean {
  return release !== before?.release || !isDeepStrictEqual(ahead, before?.ahead);
}
