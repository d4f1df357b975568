import type { EdgeCertificate, EdgeSite } from '../../../agent/edge/snapshot.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import type { AppliedSnapshot, NodePosition } from '../check.ts';

/** That a node served a site from a release, with a certificate for these hosts of it. */
interface SiteFact {
  readonly uid: string;
  readonly release: string;
  readonly hosts: readonly string[];
}

/** What one node has ever served, since it was set up. */
interface Memory {
  /** The revision of the plan that it serves. */
  revision: Revision;
  /** By what it is: the newest revision of a plan by which it was so. */
  readonly sites: Map<string, { readonly fact: SiteFact; readonly revision: Revision }>;
  readonly zones: Set<string>;
  now: readonly SiteFact[];
}

/**
 * What nodes really served, whatever they reported of it. By the uid of the Node that a machine was
 * set up as. Feed it `installed`, `applied` and `moved`.
 */
export class ServedFacts {
  readonly #memories = new Map<string, Memory>();
  /** By the machine's name. */
  readonly #uids = new Map<string, string>();

  installed(node: string, uid: string): void {
    this.#uids.set(node, uid);
    this.#memories.set(uid, { revision: 0n, sites: new Map(), zones: new Set(), now: [] });
  }

  applied({ node, snapshot, report }: AppliedSnapshot): void {
    const memory = this.#memoryOf(node);
    if (memory === undefined) return;
    const released = new Map(report.sites.map(({ uid, release }) => [uid, release]));
    memory.now = snapshot.edge.sites.flatMap((site): readonly SiteFact[] => {
      const release = released.get(site.uid);
      if (release === undefined) return [];
      return [{ uid: site.uid, release, hosts: coveredHosts(site, snapshot.edge.certificates) }];
    });
    for (const { uid, serial, error } of report.zones)
      if (serial !== undefined && error === undefined) memory.zones.add(`${uid} ${serial}`);
    remember(memory);
  }

  moved({ node, which, position }: NodePosition): void {
    const memory = which === 'applied' ? this.#memoryOf(node) : undefined;
    if (memory === undefined) return;
    memory.revision = position.revision;
    remember(memory);
  }

  /** By a plan of that revision or a newer one. */
  servedSite(nodeUid: string, { uid, release, hosts }: SiteFact, since: Revision): boolean {
    const facts = [...(this.#memories.get(nodeUid)?.sites.values() ?? [])];
    return facts.some(
      ({ fact, revision }) =>
        revision >= since &&
        fact.uid === uid &&
        fact.release === release &&
        hosts.every((host) => fact.hosts.includes(host)),
    );
  }

  servedZone(nodeUid: string, uid: string, serial: number): boolean {
    return this.#memories.get(nodeUid)?.zones.has(`${uid} ${serial}`) ?? false;
  }

  #memoryOf(node: string): Memory | undefined {
    return this.#memories.get(this.#uids.get(node) ?? '');
  }
}

function remember({ revision, sites, now }: Memory): void {
  for (const fact of now)
    sites.set(`${fact.uid} ${fact.release} ${fact.hosts.join(' ')}`, { fact, revision });
}

function coveredHosts(
  { hosts }: EdgeSite,
  certificates: readonly EdgeCertificate[],
): readonly string[] {
  const names = new Set(certificates.flatMap((each) => each.names));
  return hosts.filter(
    (host) => names.has(host) || names.has(`*.${host.slice(host.indexOf('.') + 1)}`),
  );
}
