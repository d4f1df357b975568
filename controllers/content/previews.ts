import type { Certificate } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import {
  type PreviewStatus,
  previewDigits,
  previewHost,
  previewWildcard,
} from '../../api/previews.ts';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import { coversHost } from '../../runtime/tls/certificate-names.ts';
import { isToAdopt, newestFirst, owners } from './releases.ts';
import { shortList } from './words.ts';

export interface PreviewFacts {
  readonly site: Site;
  /** Of its namespace. */
  readonly releases: readonly Release[];
  /** Every node with the role edge, connected or not. */
  readonly edges: readonly NodeView[];
  /** Of the wildcard below the domain. */
  readonly certificate: Certificate | undefined;
  /** Whether nameservers answer for the wildcard; undefined: that is not our affair. */
  readonly dns: Pick<ConditionInput, 'status' | 'reason' | 'message'> | undefined;
}

/** Which releases have an address of their own, with the nodes that answer there. */
export function planPreviews({
  site,
  releases,
  edges,
}: Pick<PreviewFacts, 'site' | 'releases' | 'edges'>): readonly PreviewStatus[] {
  const { previews } = site.spec;
  if (previews === undefined) return [];
  const connected = edges.filter((edge) => edge.connected);
  return releases
    .filter((release) => isOf(site, release))
    .toSorted(newestFirst)
    .slice(0, previews.keep)
    .map(({ metadata: { name } }) => ({
      release: name,
      url: `https://${previewHost(site.metadata.name, name, previews)}/`,
      ready: connected.filter((edge) => shows(edge, site, name)).length,
      total: connected.length,
    }));
}

/** Undefined: the Site has no previews. It keeps nothing from being ready. */
export function previewsReady(
  { site, edges, certificate, dns }: PreviewFacts,
  planned: readonly PreviewStatus[],
): ConditionInput | undefined {
  const { previews } = site.spec;
  if (previews === undefined) return undefined;
  const type = 'PreviewsReady';
  if (planned.length === 0) {
    const message = 'no release is published for it yet: see b8sctl push';
    return { type, status: 'False', reason: 'NoReleases', message };
  }
  const connected = edges.filter((edge) => edge.connected);
  const missing = connected.filter((edge) =>
    planned.some(({ release }) => !shows(edge, site, release)),
  );
  if (connected.length === 0) {
    const message = 'no edge is connected; they serve what they have';
    return { type, status: 'Unknown', reason: 'EdgesSilent', message };
  }
  if (missing.length === 0 && dns !== undefined && dns.status !== 'True') return { ...dns, type };
  if (missing.length === 0) {
    const count = planned.length === 1 ? '1 release' : `${planned.length} releases`;
    const message = `${count} below ${previews.domain} on ${connected.length}/${connected.length} nodes`;
    return { type, status: 'True', reason: 'Answered', message };
  }
  const obstacle = certificateObstacle(certificate, previewWildcard(previews));
  if (obstacle !== undefined) return { type, status: 'False', ...obstacle };
  const names = shortList(missing.map((edge) => describe(edge, site)));
  const message = `waiting for ${names} to have all of them`;
  return { type, status: 'False', reason: 'Distributing', message };
}

/** `london`, or `london (what it says is wrong)`. */
function describe(edge: NodeView, { metadata }: Site): string {
  const { previewError } = edge.site(metadata.uid) ?? {};
  return previewError === undefined ? edge.name : `${edge.name} (${previewError})`;
}

/** What is in the way of a certificate for all of them, and the mend; undefined: nothing. */
function certificateObstacle(
  certificate: Certificate | undefined,
  wildcard: string,
): Pick<ConditionInput, 'reason' | 'message'> | undefined {
  if (certificate === undefined)
    return { reason: 'CertificateNotFound', message: 'its Certificate is about to be made' };
  const { name } = certificate.metadata;
  if (!certificate.spec.names.some((each) => coversHost(each, wildcard))) {
    const message = `the Certificate ${name} does not have ${wildcard}: add it to spec.names`;
    return { reason: 'HostsNotCovered', message };
  }
  const ready = condition(certificate, 'Ready');
  if (ready?.status === 'True') return undefined;
  const { reason = 'Issuing', message = 'it is being issued' } = ready ?? {};
  return { reason, message: `Certificate ${name}: ${message}` };
}

/** Owned by it, or about to be. */
function isOf(site: Site, release: Release): boolean {
  if (release.metadata.deletionTimestamp !== undefined) return false;
  return owners(release).includes(site.metadata.uid) || isToAdopt(release, site);
}

/** By a plan of this very generation: an earlier one had perhaps another domain. */
function shows(edge: NodeView, { metadata }: Site, release: string): boolean {
  const report = edge.site(metadata.uid);
  if (report === undefined || report.generation < metadata.generation) return false;
  return report.previews?.includes(previewDigits(release)) ?? false;
}
