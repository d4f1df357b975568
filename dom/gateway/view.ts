import type { Certificate } from '../../api/certificate.ts';
import type { Node } from '../../api/node.ts';
import type { Site } from '../../api/site.ts';
import type { GeoPlan, NodePlan, SitePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { Capability } from '../../runtime/capabilities.ts';
import {
  releaseOn,
  releasesWanted,
  type ToldRelease,
} from '../../runtime/content/site-releases.ts';
import { COOKIE_CONTEXT } from '../../runtime/dns/cookie.ts';
import { nameserverNames } from '../../runtime/dns/nameserver-names.ts';
import type { DnsCookieRecord, GeoRecord } from '../../runtime/store/records.ts';
import { isBeyondStatus, type World, type WorldChange } from '../../runtime/store/world.ts';
import { coversHost } from '../../runtime/tls/certificate-names.ts';
import { accessOf } from './access-view.ts';
import { certificateEntry } from './certificate-view.ts';
import { challengeEntries } from './challenge-view.ts';
import { previewCertificate, previewPlans } from './previews-view.ts';
import { servingOptions } from './site-view.ts';
import { variantsOf } from './variants-view.ts';
import type { OpenKey, ViewEntry } from './view-entry.ts';
import { zoneEntries } from './zone-view.ts';

/** What of the world a node may see: decided by its roles, and by itself alone (INV-34). */
export interface Viewer {
  readonly node: string;
  readonly edge: boolean;
  readonly nameserver: boolean;
  /**
   * For several nodes that see the same: by uid of a Site, the release that all of them are told to
   * serve while most edges serve another one. Left out: what `node` is told.
   */
  readonly ahead?: ReadonlyMap<string, string>;
  /** What its sub can do that older ones cannot; left out: all. */
  readonly capabilities?: readonly Capability[];
}

/** Pure: everything that a node needs and is allowed to see, sorted by key. */
export function planView(world: World, viewer: Viewer, openKey: OpenKey): readonly ViewEntry[] {
  const entries = [
    ...(viewer.edge
      ? world
          .list('Site')
          .filter((site) => isLive(site) && canServe(viewer, site))
          .flatMap((site) => siteEntries({ world, viewer, openKey }, site))
      : []),
    ...(viewer.edge ? challengeEntries(world) : []),
    ...(viewer.nameserver ? zoneEntries(world, openKey) : []),
    ...(viewer.nameserver ? nameserverEntries(world, viewer, openKey) : []),
    ...nodeEntries(world, viewer),
    ...(viewer.nameserver ? [...geoEntries(world), ...dnsEntries(world, openKey)] : []),
  ];
  // Sites may share a certificate.
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  return [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * False for what no plan shows: reports and the status of Nodes, which are most of all changes.
 * Here, beside `planView`, because a kind that it begins to read must be named here too.
 */
export function mayChangePlans(change: WorldChange): boolean {
  if (change.kind === 'record') return PLANNED_RECORDS.has(change.record);
  if (change.object.kind === 'Node') return isBeyondStatus(change);
  // Of a Release, only what has become of it since is shown.
  if (change.object.kind === 'Release')
    return change.deleted || change.before?.status !== change.object.status;
  return PLANNED_KINDS.has(change.object.kind);
}

const PLANNED_RECORDS: ReadonlySet<string> = new Set([
  'session',
  'zone',
  'signing',
  'transferKey',
  'material',
  'acmeOrder',
  'geo',
  'dnsCookie',
  'access',
]);
const PLANNED_KINDS: ReadonlySet<string> = new Set(['Site', 'Certificate']);

export function viewerOf(node: Node): Viewer {
  return {
    node: node.metadata.name,
    edge: node.spec.roles.includes('edge'),
    nameserver: node.spec.roles.includes('nameserver'),
  };
}

/** A sub that does not know of passwords would let everybody in: it is not told of the site. */
function canServe({ capabilities }: Viewer, { spec }: Site): boolean {
  return spec.auth === undefined || capabilities?.includes('passwords') !== false;
}

interface Seeing {
  readonly world: World;
  readonly viewer: Viewer;
  readonly openKey: OpenKey;
}

function siteEntries(seeing: Seeing, site: Site): readonly ViewEntry[] {
  const { world, viewer, openKey } = seeing;
  const { name, namespace = '', generation } = site.metadata;
  const told = toldRelease(site, viewer);
  const variants = variantsOf(world, site);
  const access = accessOf(world, site);
  const certificate = world.get('Certificate', { namespace, name });
  const held =
    certificate === undefined ? undefined : certificateEntry(world, certificate, openKey);
  const previews = previewPlans(site);
  const ofPreviews = previewCertificate(world, site, openKey);
  const siteEntry: ViewEntry = {
    key: `site/${namespace}/${name}`,
    // Of the status, only releases and when one was switched to are shown.
    version: [
      `${site.metadata.uid}@${generation}/${told?.release}@${told?.switchedAt}`,
      ...releasesWanted(site),
      ...variants.map(({ index }) => index),
      ...(access === undefined ? [] : [`auth${access.version}`]),
      ...(held === undefined ? [] : ['tls']),
      ...previews.map(({ host }) => host),
      ...(ofPreviews === undefined ? [] : ['previews tls']),
    ].join('+'),
    make: () => ({
      key: `site/${namespace}/${name}`,
      object: {
        $case: 'site',
        value: sitePlan(site, {
          ...{ told, variants, auth: access?.plan, certificate: held?.key ?? '' },
          ...{ previews, previewCertificate: ofPreviews?.key ?? '' },
        }),
      },
    }),
  };
  return [siteEntry, held, ofPreviews].filter((entry) => entry !== undefined);
}

/**
 * The certificates that a nameserver shows over TLS: those declared for a name of its own. A Site's
 * stays with edges, whatever it covers.
 */
function nameserverEntries(world: World, viewer: Viewer, openKey: OpenKey): readonly ViewEntry[] {
  const node = world.get('Node', { name: viewer.node });
  const declared = world.list('Certificate').filter((each) => !isOfSite(world, each));
  // Few nodes have one, and to read every zone takes its time.
  if (node === undefined || declared.length === 0) return [];
  const zones = world.records('zone').map(([, { value }]) => value);
  const own = nameserverNames(zones, node.spec);
  return declared
    .filter(({ spec }) => spec.names.some((name) => own.some((host) => coversHost(name, host))))
    .flatMap((certificate) => certificateEntry(world, certificate, openKey) ?? []);
}

/** By its name, or made for previews, which are served by edges, too (INV-33). */
function isOfSite(world: World, { metadata }: Certificate): boolean {
  const { ownerReferences = [] } = metadata;
  return (
    world.get('Site', metadata) !== undefined || ownerReferences.some(({ kind }) => kind === 'Site')
  );
}

function toldRelease({ metadata, status }: Site, { node, ahead }: Viewer): ToldRelease | undefined {
  if (ahead === undefined) return releaseOn(status, node);
  const release = ahead.get(metadata.uid);
  const { ahead: _, ...most } = status ?? {};
  return status?.ahead?.find((each) => each.release === release) ?? releaseOn(most, node);
}

function sitePlan(
  site: Site,
  parts: Pick<SitePlan, 'variants' | 'certificate' | 'previews' | 'previewCertificate' | 'auth'> & {
    readonly told: ToldRelease | undefined;
  },
): SitePlan {
  const { told, ...rest } = parts;
  const { spec, metadata } = site;
  const switchedAtMs = told?.switchedAt === undefined ? 0 : Date.parse(told.switchedAt);
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    generation: BigInt(metadata.generation),
    hosts: spec.hosts,
    serving: told?.release ?? '',
    prepare: releasesWanted(site).toSorted(),
    notFoundPage: spec.notFoundPage,
    singlePageApp: spec.singlePageApp,
    headers: spec.headers,
    redirects: spec.redirects.map(({ force = false, ...rule }) => ({ ...rule, force })),
    switchedAtMs: BigInt(switchedAtMs),
    options: servingOptions(spec),
    ...rest,
  };
}

function nodeEntries(world: World, viewer: Viewer): readonly ViewEntry[] {
  const own = world.get('Node', { name: viewer.node });
  const visible = viewer.nameserver ? world.list('Node') : own === undefined ? [] : [own];
  return visible.filter(isLive).map((node) => {
    const ready = world.record('session', node.metadata.name)?.value.nodeUid === node.metadata.uid;
    const key = `node/${node.metadata.name}`;
    return {
      key,
      // Status changes are no news for nameservers: only the spec and the lease count.
      version: `${node.metadata.uid}@${node.metadata.generation}${ready ? '+ready' : ''}`,
      make: () => ({ key, object: { $case: 'node', value: nodePlan(node, { ready }) } }),
    };
  });
}

function nodePlan(node: Node, { ready }: { ready: boolean }): NodePlan {
  const { spec, metadata } = node;
  return {
    uid: metadata.uid,
    name: metadata.name,
    ipv4: spec.ipv4,
    ipv6: spec.ipv6,
    latitude: spec.location?.latitude,
    longitude: spec.location?.longitude,
    roles: spec.roles,
    ready,
    unschedulable: spec.unschedulable,
    drain: spec.drain,
    httpPort: spec.ports.http,
    httpsPort: spec.ports.https,
    dnsPort: spec.ports.dns,
  };
}

function geoEntries(world: World): readonly ViewEntry[] {
  const stored = world.record('geo', 'current');
  if (stored === undefined) return [];
  return [
    {
      key: 'geo/current',
      version: String(stored.modRevision),
      make: () => ({ key: 'geo/current', object: { $case: 'geo', value: geoPlan(stored.value) } }),
    },
  ];
}

function dnsEntries(world: World, openKey: OpenKey): readonly ViewEntry[] {
  const stored = world.record('dnsCookie', 'current');
  if (stored === undefined) return [];
  const key = 'dns/current';
  return [
    {
      key,
      version: String(stored.modRevision),
      make: () => ({
        key,
        object: { $case: 'dns', value: { cookieSecrets: cookieSecrets(stored.value, openKey) } },
      }),
    },
  ];
}

/** The one in use first. */
function cookieSecrets(
  { active, next, previous }: DnsCookieRecord,
  openKey: OpenKey,
): readonly Buffer[] {
  return [active, next, previous]
    .filter((secret) => secret !== undefined)
    .map((secret) => Buffer.from(openKey(secret, COOKIE_CONTEXT), 'base64'));
}

function geoPlan(geo: GeoRecord): GeoPlan {
  return {
    databases: geo.databases.map(({ digest, sizeBytes }) => ({
      digest,
      sizeBytes: BigInt(sizeBytes),
    })),
  };
}

function isLive(object: Node | Site): boolean {
  return object.metadata.deletionTimestamp === undefined;
}
