import type { PlaneSnapshot } from '../../../agent/plane/plane.ts';
import type { Release } from '../../../api/release.ts';
import { blobPath, type Digest, digestHex, isDigest } from '../../../runtime/content/digest.ts';
import { ManifestError, parseManifest } from '../../../runtime/content/manifest.ts';
import { parseVariants, VariantsError } from '../../../runtime/content/variants.ts';
import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { GeoRecord, MaterialRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';

/** A node that has joined and has a session, as it is by now. */
export interface NodeAtRest {
  readonly node: string;
  /** What is in effect. */
  readonly snapshot: PlaneSnapshot;
  /** What lies on its disk. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface NodeOrphansParts {
  readonly history: StoreHistory;
  readonly nodes: () => readonly NodeAtRest[];
}

/** What a node knows of its plan, and of what it serves. */
const PLAN_FILES: readonly string[] = ['plan.bin', 'served.bin'];

/**
 * INV-7 on the nodes. At rest a connected node serves no site, zone, certificate, geography or
 * other node than those that the store has. Once the time is over for which a node keeps what it
 * might need again, its disk holds its plan, the blobs and marks of what it serves, and the forms of
 * these that dom has made, and nothing else; so sites that are gone have left nothing there.
 */
export function nodeOrphansCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  { history, nodes }: NodeOrphansParts,
): Check {
  const all = (prefix: string) => history.list(prefix, history.head);
  const uids = (kind: 'Certificate' | 'Node' | 'Site'): ReadonlySet<string> =>
    new Set(all(kindPrefix(kind)).map((item) => decodeObject(item).metadata.uid));
  const records = <R>(kind: 'geo' | 'material' | 'zone'): readonly R[] =>
    all(recordKey(kind, '')).map(({ value }) => JSON.parse(value) as R);

  return {
    rested() {
      const [sites, directory] = [uids('Site'), uids('Node')];
      const zones = new Set(records<ZoneRecord>('zone').map(({ zoneUid }) => zoneUid));
      const materials = records<MaterialRecord>('material');
      const fingerprints = new Set(materials.map(({ fingerprint }) => fingerprint));
      const geo = new Set(databasesOf(records<GeoRecord>('geo')));
      for (const { node, snapshot } of nodes()) {
        const { dns, edge } = snapshot;
        const strays = [
          ...edge.sites.filter(({ uid }) => !sites.has(uid)).map((each) => `site ${each.name}`),
          ...edge.certificates
            .filter(({ fingerprint }) => !fingerprints.has(fingerprint))
            .map(({ names }) => `certificate of ${names.join(', ')}`),
          ...dns.zones.filter(({ uid }) => !zones.has(uid)).map((each) => `zone ${each.origin}`),
          ...dns.nodes.filter(({ uid }) => !directory.has(uid)).map((each) => `node ${each.name}`),
          ...dns.databases.filter((each) => !geo.has(each)).map((each) => `geography ${each}`),
        ];
        for (const stray of strays) violated(7, `${node} still has the ${stray}, which is gone`);
      }
    },
    lingered() {
      const geo = databasesOf(records<GeoRecord>('geo'));
      const indexes = new Map(
        all(kindPrefix('Release')).flatMap((item) => {
          const { metadata, status } = decodeObject(item) as Release;
          return status?.variants === undefined ? [] : [[metadata.name, status.variants.index]];
        }),
      );
      for (const { node, snapshot, files } of nodes()) {
        const needed = neededPaths(snapshot, { geo, indexes }, files);
        const stray = [...files.keys()]
          .toSorted()
          .find((path) => !needed.has(path) && !isLogOf(path, snapshot));
        if (stray !== undefined) violated(7, `${node} keeps ${stray}, which nothing needs`);
      }
    },
  };
}

interface Known {
  readonly geo: readonly string[];
  /** Of compressed forms, by release. */
  readonly indexes: ReadonlyMap<string, string>;
}

/** At rest what is in effect is what the plan says, so no more is needed than that. */
function neededPaths(
  { edge, dns }: PlaneSnapshot,
  { geo, indexes }: Known,
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlySet<string> {
  const releases = edge.sites.flatMap(({ release, previews = [] }) =>
    [{ release }, ...previews].flatMap((each) => each.release ?? []),
  );
  const databases = dns.databases.filter((each) => geo.includes(each));
  const blobs = releases.flatMap((release) => [release, ...filesOf(files.get(blobPath(release)))]);
  const forms = releases.flatMap((release) => formsOf(indexes.get(release), files));
  return new Set([
    ...PLAN_FILES,
    ...releases.map((release) => `verified/${digestHex(release)}`),
    ...[...blobs, ...forms, ...databases].map(blobPath),
  ]);
}

/** Also of a site that notes nothing more: what was noted may still be read. */
function isLogOf(path: string, { edge }: PlaneSnapshot): boolean {
  return edge.sites.some(({ namespace, name, uid }) =>
    path.startsWith(`logs/access/${namespace}/${name}.${uid.slice(0, 8)}.log`),
  );
}

function filesOf(manifest: Uint8Array | undefined): readonly Digest[] {
  if (manifest === undefined) return [];
  try {
    return parseManifest(manifest).map(({ digest }) => digest);
  } catch (error) {
    if (error instanceof ManifestError) return [];
    throw error;
  }
}

/** An index, and what it names. */
function formsOf(
  index: string | undefined,
  files: ReadonlyMap<string, Uint8Array>,
): readonly Digest[] {
  if (index === undefined || !isDigest(index)) return [];
  try {
    const variants = parseVariants(files.get(blobPath(index)) ?? new Uint8Array());
    return [index, ...[...variants.values()].flat().map(({ digest }) => digest)];
  } catch (error) {
    if (error instanceof VariantsError) return [index];
    throw error;
  }
}

function databasesOf(records: readonly GeoRecord[]): readonly string[] {
  return records.flatMap(({ databases }) => databases.map(({ digest }) => digest)).filter(isDigest);
}
