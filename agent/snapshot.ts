import type { CertificatePlan, SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { type Digest, isDigest } from '../runtime/content/digest.ts';
import { coversHost } from '../runtime/tls/certificate-names.ts';
import type { DesiredContent } from './content/plan.ts';
import type { ContentState } from './content/state.ts';
import { hostIdentities } from './dns/host-identities.ts';
import { planSite } from './edge/plan-site.ts';
import { edgeProofs } from './edge/proofs.ts';
import type { EdgeCertificate, EdgePeering, EdgeVariants } from './edge/snapshot.ts';
import type { Health, PlaneSnapshot } from './plane/plane.ts';
import type { PlanObjects } from './session/plan-objects.ts';

/** What this node serves, remembered over restarts: a reboot changes no answer (INV-24). */
export interface Served {
  /** By site uid. */
  readonly releases: ReadonlyMap<string, Digest>;
  /** By site uid. */
  readonly certificates: ReadonlyMap<string, CertificatePlan>;
  /** By host. */
  readonly previews: ReadonlyMap<string, Digest>;
  /** By site uid: the one for its previews. */
  readonly previewCertificates: ReadonlyMap<string, CertificatePlan>;
  readonly databases: readonly Digest[];
}

export const NOTHING_SERVED: Served = {
  releases: new Map(),
  certificates: new Map(),
  previews: new Map(),
  previewCertificates: new Map(),
  databases: [],
};

export interface SnapshotInput {
  readonly plan: PlanObjects;
  readonly content: Pick<ContentState, 'verified' | 'blobs' | 'variants'>;
  readonly previous: Served;
  readonly node: string;
  readonly health: Health;
  readonly sequence: number;
  readonly nowMs: number;
  /** Left out: other nodes cannot fetch from this one. */
  readonly peering?: EdgePeering | undefined;
}

/** Where HTTPS is expected while no plan says otherwise. */
const HTTPS_PORT = 443;

/**
 * Decides what the data plane serves. Of each site: the release that dom names once it is verified
 * here, until then what is served already, and never an older one by this node's own choice
 * (INV-27, INV-28); the certificate of the plan, unless the one in use is better (INV-29).
 */
export function buildSnapshot(input: SnapshotInput): {
  readonly snapshot: PlaneSnapshot;
  readonly served: Served;
} {
  const { plan, content, node, health, sequence, peering } = input;
  const served = chooseServed(input);
  const own = plan.nodes.find(({ name }) => name === node);
  const proofs = edgeProofs(plan.challenges);
  const certificates = new Map(
    [...served.certificates.values(), ...served.previewCertificates.values()].map((each) => [
      each.fingerprint,
      edgeCertificate(each),
    ]),
  );
  return {
    served,
    snapshot: {
      sequence,
      dns: {
        zones: plan.zones,
        nodes: plan.nodes,
        databases: served.databases,
        health,
        cookieSecrets: plan.dns?.cookieSecrets ?? [],
        identities: hostIdentities(plan, own),
      },
      edge: {
        sites: plan.sites.map((site) =>
          planSite(site, {
            release: served.releases.get(site.uid),
            certificate: served.certificates.get(site.uid)?.fingerprint,
            variants: variantsHere(site, content),
            previews: served.previews,
            previewCertificate: served.previewCertificates.get(site.uid)?.fingerprint,
          }),
        ),
        certificates: [...certificates.values()],
        httpsPort: own === undefined || own.httpsPort === 0 ? HTTPS_PORT : own.httpsPort,
        ...(own?.drain === true && own.unschedulable && { clients: 'leave' }),
        ...(proofs !== undefined && { proofs }),
        ...(peering !== undefined && { peering }),
      },
    },
  };
}

/** What must be on disk for the plan, and what must stay for as long as it is served. */
export function desiredContent(plan: PlanObjects, served: readonly Served[]): DesiredContent {
  const serving = plan.sites.map((site) => site.serving);
  const prepared = plan.sites.flatMap((site) => site.prepare);
  const previewed = plan.sites.flatMap((site) => site.previews.map(({ release }) => release));
  return {
    // What requests are answered with comes before what is only being prepared, and previews last.
    releases: [...new Set([...serving, ...prepared, ...previewed])].filter(isDigest),
    blobs: (plan.geo?.databases ?? []).flatMap(({ digest, sizeBytes }) =>
      isDigest(digest) ? [{ digest, sizeBytes: Number(sizeBytes) }] : [],
    ),
    variants: [...new Set(plan.sites.flatMap(indexesOf))],
    keepReleases: sortedOnce(
      served.flatMap(({ releases, previews }) => [...releases.values(), ...previews.values()]),
    ),
    keepBlobs: sortedOnce(served.flatMap(({ databases }) => databases)),
  };
}

function indexesOf({ variants }: SitePlan): readonly Digest[] {
  return variants.map(({ index }) => index).filter(isDigest);
}

function variantsHere(
  { variants }: SitePlan,
  content: SnapshotInput['content'],
): readonly EdgeVariants[] {
  return variants.flatMap(({ release, index }) => {
    if (!isDigest(release) || !isDigest(index)) return [];
    const absent = content.variants.get(index);
    return absent === undefined ? [] : [{ release, index, absent }];
  });
}

function chooseServed({ plan, content, previous, nowMs }: SnapshotInput): Served {
  const releases = new Map<string, Digest>();
  const certificates = new Map<string, CertificatePlan>();
  const previewCertificates = new Map<string, CertificatePlan>();
  for (const site of plan.sites) {
    const release = chooseRelease(site, content.verified, previous);
    if (release !== undefined) releases.set(site.uid, release);
    const candidate = plan.certificates.get(site.certificate);
    const inUse = previous.certificates.get(site.uid);
    const certificate = chooseCertificate(site.hosts, { candidate, inUse, nowMs });
    if (certificate !== undefined) certificates.set(site.uid, certificate);
    const ofPreviews = chooseCertificate(
      site.previews.map(({ host }) => host),
      {
        candidate: plan.certificates.get(site.previewCertificate),
        inUse: previous.previewCertificates.get(site.uid),
        nowMs,
      },
    );
    if (site.previews.length > 0 && ofPreviews !== undefined)
      previewCertificates.set(site.uid, ofPreviews);
  }
  const previews = choosePreviews(plan, content.verified, previous);
  const databases = chooseDatabases({ plan, content, previous });
  return { releases, certificates, previews, previewCertificates, databases };
}

/** Each once it is verified here; one that is served goes on, for its release is in its name. */
function choosePreviews(
  { sites }: PlanObjects,
  verified: ReadonlySet<Digest>,
  previous: Served,
): ReadonlyMap<string, Digest> {
  const previews = new Map<string, Digest>();
  for (const { host, release } of sites.flatMap((site) => site.previews)) {
    if (!isDigest(release) || previews.has(host)) continue;
    if (verified.has(release) || previous.previews.get(host) === release)
      previews.set(host, release);
  }
  return previews;
}

function chooseRelease(
  site: SitePlan,
  verified: ReadonlySet<Digest>,
  previous: Served,
): Digest | undefined {
  const { serving } = site;
  return isDigest(serving) && verified.has(serving) ? serving : previous.releases.get(site.uid);
}

/** The better of two: one that is not expired, then one that covers more of the hosts, then the plan's. */
function chooseCertificate(
  hosts: readonly string[],
  options: {
    readonly candidate: CertificatePlan | undefined;
    readonly inUse: CertificatePlan | undefined;
    readonly nowMs: number;
  },
): CertificatePlan | undefined {
  const { candidate, inUse, nowMs } = options;
  if (candidate === undefined || inUse === undefined) return candidate ?? inUse;
  const isValid = ({ notAfterMs }: CertificatePlan): number => (notAfterMs > nowMs ? 1 : 0);
  const covered = ({ names }: CertificatePlan): number =>
    hosts.filter((host) => names.some((name) => coversHost(name, host))).length;
  const better = isValid(inUse) - isValid(candidate) || covered(inUse) - covered(candidate);
  return better > 0 ? inUse : candidate;
}

/** The plan's databases once all are here; half of a new set would locate worse than the old one. */
function chooseDatabases({
  plan,
  content,
  previous,
}: Pick<SnapshotInput, 'plan' | 'content' | 'previous'>): readonly Digest[] {
  const wanted = (plan.geo?.databases ?? []).map(({ digest }) => digest).filter(isDigest);
  if (wanted.every((digest) => content.blobs.has(digest))) return wanted;
  if (previous.databases.length > 0) return previous.databases;
  return wanted.filter((digest) => content.blobs.has(digest));
}

function edgeCertificate(certificate: CertificatePlan): EdgeCertificate {
  const { names, chainPem, keyPem, fingerprint } = certificate;
  return { names, chainPem, keyPem, fingerprint };
}

function sortedOnce(digests: readonly Digest[]): readonly Digest[] {
  return [...new Set(digests)].toSorted();
}
