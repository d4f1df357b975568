import { previewCertificateName, previewHost } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import type { PreviewPlan } from '../../proto/gen/b8s/v1/plan.ts';
import { releasesPreviewed } from '../../runtime/content/site-releases.ts';
import type { World } from '../../runtime/store/world.ts';
import { certificateEntry } from './certificate-view.ts';
import type { OpenKey, ViewEntry } from './view-entry.ts';

/** The newest first. */
export function previewPlans(site: Site): readonly PreviewPlan[] {
  const { previews } = site.spec;
  if (previews === undefined) return [];
  return releasesPreviewed(site).map((release) => ({
    host: previewHost(site.metadata.name, release, previews),
    release,
  }));
}

/** The certificate of its previews, which several Sites may share; undefined: none yet. */
export function previewCertificate(
  world: World,
  { metadata: { namespace }, spec: { previews } }: Site,
  openKey: OpenKey,
): ViewEntry | undefined {
  if (previews === undefined) return undefined;
  const name = previewCertificateName(previews);
  const certificate = world.get('Certificate', { namespace, name });
  return certificate === undefined ? undefined : certificateEntry(world, certificate, openKey);
}
