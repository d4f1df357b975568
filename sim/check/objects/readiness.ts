import { isDeepStrictEqual } from 'node:util';
import type { Certificate } from '../../../api/certificate.ts';
import type { Node, NodeRole } from '../../../api/node.ts';
import { condition, type Resource } from '../../../api/object.ts';
import type { Site } from '../../../api/site.ts';
import type { Zone } from '../../../api/zone.ts';
import { zoneOfHost, zonesByOrigin } from '../../../runtime/dns/zones.ts';
import { kindPrefix, objectKey, qualifiedName, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { MaterialRecord, SessionRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import { parseFakeCertificate } from '../../../runtime/tls/fake-authority.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';
import type { VersionCount } from '../content/routed.ts';
import { readOnce } from '../read-once.ts';
import { keyOf, type StoreHistory } from '../store-history.ts';
import type { ObjectChange, ObjectChanges } from './object-changes.ts';
import { ServedFacts } from './served-facts.ts';

const NODES_PREFIX = kindPrefix('Node');
const SESSIONS_PREFIX = recordKey('session', '');
const ZONES_PREFIX = kindPrefix('Zone');
const RECORDS_PREFIX = recordKey('zone', '');
/** Where what a Site or a Zone needs comes, goes or changes. */
const TURNS = [NODES_PREFIX, SESSIONS_PREFIX, ZONES_PREFIX];
/** What is written was so when it was decided, which may have been so long ago. */
const WRITE_MS_MAX = 5_000;

export interface ReadinessPorts extends CheckPorts {
  /** The earliest that a process's clock may have said within so long, milliseconds since 1970. */
  readonly earliestMsOf: (process: string, withinMs: number) => number;
}

export interface ReadinessParts {
  readonly changes: ObjectChanges;
  readonly history: StoreHistory;
  /** An older dom asks no nameserver, and does not say since when a host leads to nodes. */
  readonly versions: VersionCount;
}

/**
 * INV-19: Ready=True of a generation implies that what it says really held. Dom sees nodes as of
 * some moment after the object was last written and before this commit; at one such moment:
 *
 * - Site: it had edges with a session, and each of them has served the release that the spec names,
 *   with a certificate for each host, by a plan made since that generation was; for hosts in Zones it
 *   had nameservers with a session, and each has served a version that leads to nodes for them.
 * - Zone: it had nameservers with a session, as many as `servedBy` says, and each of them has
 *   served that serial of this Zone; the version that they are given is of this generation.
 * - Node: it had the very session that the status tells of.
 * - Certificate: its key and chain are in the store, for its names, and not expired by the clock of
 *   the dom that says so: that it is wrong dom cannot know.
 */
export function readinessCheck(ports: ReadinessPorts, parts: ReadinessParts): Check {
  const readiness = new Readiness(ports, parts);
  return {
    stored(event) {
      if (event.kind !== 'revision') return;
      const keys = event.changes.map(keyOf);
      if (keys.some((key) => TURNS.some((prefix) => key.startsWith(prefix))))
        readiness.turns.push(event.revision);
    },
    committed: (commit) => readiness.committed(commit),
    installed: (node) => readiness.installed(node),
    applied: (applied) => readiness.served.applied(applied),
    moved: (position) => readiness.served.moved(position),
  };
}

/** A controller that writes a status leaves the rest of the object as it is. */
function isOfAnother(before: Resource | undefined, after: Resource): boolean {
  if (before === undefined || !isDeepStrictEqual(before.status, after.status)) return false;
  const { resourceVersion } = after.metadata;
  return !isDeepStrictEqual({ ...before.metadata, resourceVersion }, after.metadata);
}

class Readiness {
  readonly served = new ServedFacts();
  /** Revisions at which nodes, sessions or Zones came, went or changed. */
  readonly turns: Revision[] = [];
  readonly #ports: ReadinessPorts;
  readonly #parts: ReadinessParts;
  /** Names that Nodes have ever had. */
  readonly #nodes = new Set<string>();
  /** By uid and generation of a Site: when it was made. */
  readonly #made = new Map<string, Revision>();
  /** By uid of a Site and host: versions of zones, which lead to nodes for it. */
  readonly #leading = new Map<
    string,
    readonly { readonly uid: string; readonly serial: number }[]
  >();

  constructor(ports: ReadinessPorts, parts: ReadinessParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  installed(name: string): void {
    const { history } = this.#parts;
    const item = history.get(`${NODES_PREFIX}${name}`, history.head);
    this.served.installed(name, item === undefined ? '' : decodeObject(item).metadata.uid);
  }

  committed(commit: Commit): void {
    this.#noteLeading(commit);
    for (const change of this.#parts.changes.of(commit)) {
      const { before, after, key } = change;
      if (after === undefined) continue;
      const { uid, generation, name } = after.metadata;
      if (after.kind === 'Node') this.#nodes.add(name);
      if (before?.metadata.generation !== generation)
        this.#made.set(`${uid} ${generation}`, commit.revision);
      const ready = condition(after, 'Ready');
      if (ready?.status !== 'True' || ready.observedGeneration !== generation) continue;
      // Whoever labels or deletes an object repeats what its status says, and claims nothing.
      if (isOfAnother(before, after)) continue;
      const fault = this.#fault(change, after, commit);
      if (fault !== undefined)
        this.#ports.violated(19, `commit ${commit.revision} says ${key} is ready, ${fault}`);
    }
  }

  #fault(change: ObjectChange, after: Resource, commit: Commit): string | undefined {
    const { revision } = commit;
    switch (after.kind) {
      case 'Site':
        return this.#faultOfSite(after as Site, this.#moments(change, revision));
      case 'Zone':
        return this.#faultOfZone(after as Zone, revision, this.#moments(change, revision));
      case 'Node':
        return this.#faultOfNode(after as Node, this.#moments(change, revision));
      case 'Certificate':
        return this.#faultOfCertificate(after as Certificate, change, commit);
      default:
        return undefined;
    }
  }

  /** Revisions as of which dom may have decided, newest first, one for each state of the nodes. */
  #moments({ before }: ObjectChange, revision: Revision): readonly Revision[] {
    const base = BigInt(before?.metadata.resourceVersion ?? revision - 1n);
    const newest = revision - 1n;
    const turns = this.turns.filter((turn) => turn > base && turn <= newest);
    return [newest, ...turns.map((turn) => turn - 1n).toReversed()];
  }

  #faultOfSite(site: Site, moments: readonly Revision[]): string | undefined {
    const { metadata, spec, status } = site;
    const release = status?.release;
    if (release === undefined || release !== spec.content?.release)
      return `from ${release} instead of ${spec.content?.release}`;
    if (status?.ahead !== undefined) return 'while some nodes are told another release';
    const since = this.#made.get(`${metadata.uid} ${metadata.generation}`) ?? 0n;
    const fact = { uid: metadata.uid, release, hosts: spec.hosts };
    const served = (uid: string): boolean => this.served.servedSite(uid, fact, since);
    return this.#eachServes('edge', moments, served) ?? this.#faultOfHosts(site, moments);
  }

  #faultOfHosts({ metadata, spec }: Site, moments: readonly Revision[]): string | undefined {
    if (this.#parts.versions === 'several') return undefined;
    let fault: string | undefined;
    for (const moment of moments) {
      const items = this.#parts.history.list(ZONES_PREFIX, moment);
      const zones = zonesByOrigin(items.map((item) => readOnce<Zone>(item)));
      const inZones = spec.hosts.filter((host) => zoneOfHost(zones, host) !== undefined);
      const found = this.#eachServes('nameserver', [moment], (node) =>
        inZones.every((host) => this.#answers(node, `${metadata.uid} ${host}`)),
      );
      if (inZones.length === 0 || found === undefined) return undefined;
      fault ??= `${found} in DNS`;
    }
    return fault;
  }

  #answers(nodeUid: string, host: string): boolean {
    const versions = this.#leading.get(host) ?? [];
    return versions.some(({ uid, serial }) => this.served.servedZone(nodeUid, uid, serial));
  }

  /** Which versions of zones lead to nodes that serve a Site. */
  #noteLeading({ transaction }: Commit): void {
    for (const write of transaction.writes) {
      if (write.kind !== 'put' || !write.key.startsWith(RECORDS_PREFIX)) continue;
      const { zoneUid: uid, serial, geoNames } = JSON.parse(write.value) as ZoneRecord;
      for (const { name, siteUid, candidates, standIn } of geoNames) {
        if (candidates.length === 0 || standIn !== undefined) continue;
        const key = `${siteUid} ${name}`;
        const known = this.#leading.get(key) ?? [];
        this.#leading.set(key, [...known, { uid, serial }]);
      }
    }
  }

  #faultOfZone(
    { metadata, status }: Zone,
    revision: Revision,
    moments: readonly Revision[],
  ): string | undefined {
    const { uid, generation } = metadata;
    const item = this.#parts.history.get(recordKey('zone', qualifiedName(metadata)), revision);
    const record = item === undefined ? undefined : (JSON.parse(item.value) as ZoneRecord);
    const { serial, servedBy } = status ?? {};
    if (record?.zoneUid !== uid || record.serial !== serial || record.generation !== generation)
      return `and serial ${serial} is not of this generation`;
    const total = servedBy?.total ?? 0;
    if (servedBy?.current !== total) return `by ${servedBy?.current} of ${total} nameservers`;
    const served = (node: string): boolean => this.served.servedZone(node, uid, serial);
    return this.#eachServes('nameserver', moments, served, total);
  }

  #faultOfNode({ metadata, status }: Node, moments: readonly Revision[]): string | undefined {
    const { name, uid } = metadata;
    const had = moments.some((moment) => {
      const session = this.#session(name, moment);
      return session?.nodeUid === uid && session.connectedSince === status?.connectedSince;
    });
    return had ? undefined : `and it had no session since ${status?.connectedSince}`;
  }

  #faultOfCertificate(
    { metadata, spec, status }: Certificate,
    { before }: ObjectChange,
    { revision, process }: Commit,
  ): string | undefined {
    const { history } = this.#parts;
    const key = recordKey('material', metadata.uid);
    const base = BigInt(before?.metadata.resourceVersion ?? revision);
    // The next one may have come since dom looked.
    const items = [
      history.get(key, base),
      ...history.versions(key, { after: base, upTo: revision }).map(({ item }) => item),
    ];
    const known = items.flatMap((item) =>
      item === undefined ? [] : [JSON.parse(item.value) as MaterialRecord],
    );
    if (known.length === 0) return 'and there is none';
    const said = known.find(({ fingerprint }) => fingerprint === status?.fingerprint);
    if (said === undefined) return 'and it is another one';
    const { chainPem, notAfterMs } = said;
    const { names } = parseFakeCertificate(chainPem);
    const missing = spec.names.find((name) => !names.includes(name));
    if (missing !== undefined) return `without ${missing}`;
    const decidedMs = this.#ports.earliestMsOf(process, WRITE_MS_MAX);
    return notAfterMs > decidedMs ? undefined : 'and it has expired';
  }

  /** At one of the moments; `count`: there were so many of them. */
  #eachServes(
    role: NodeRole,
    moments: readonly Revision[],
    served: (nodeUid: string) => boolean,
    count?: number,
  ): string | undefined {
    const [newest = 0n] = moments;
    const found = moments.some((moment) => {
      const connected = this.#connected(role, moment);
      const isAll = count === undefined ? connected.length > 0 : connected.length === count;
      return (
        isAll && connected.length > 0 && connected.every(({ metadata }) => served(metadata.uid))
      );
    });
    if (found) return undefined;
    const connected = this.#connected(role, newest);
    const missing = connected.filter(({ metadata }) => !served(metadata.uid));
    const names = missing.map(({ metadata }) => metadata.name).join(', ');
    return `which ${names === '' ? 'nobody' : names} of ${connected.length} never served`;
  }

  #connected(role: NodeRole, moment: Revision): readonly Node[] {
    return [...this.#nodes].toSorted().flatMap((name) => {
      const item = this.#parts.history.get(objectKey({ kind: 'Node', name }), moment);
      if (item === undefined) return [];
      const node = decodeObject(item) as Node;
      const isHere = this.#session(name, moment)?.nodeUid === node.metadata.uid;
      const isLive = node.metadata.deletionTimestamp === undefined;
      return isHere && isLive && node.spec.roles.includes(role) ? [node] : [];
    });
  }

  #session(node: string, moment: Revision): SessionRecord | undefined {
    const item = this.#parts.history.get(`${SESSIONS_PREFIX}${node}`, moment);
    return item === undefined ? undefined : (JSON.parse(item.value) as SessionRecord);
  }
}
