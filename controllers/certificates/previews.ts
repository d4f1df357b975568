import type { Certificate } from '../../api/certificate.ts';
import type { OwnerReference } from '../../api/object.ts';
import { previewCertificateName, previewWildcard } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import { isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import { type Author, type Operation, ownedBy, type Writer } from '../../runtime/store/writer.ts';

/** Sites that own the certificate they share; with more than that the oldest ones do. */
export const OWNERS_MAX = 20;

/** The shared certificates, `namespace/name`, that a change may have to do with. */
export function previewsAffected(change: WorldChange): readonly string[] {
  if (change.kind === 'record') return [];
  const { object, before } = change;
  if (isKind(object, 'Certificate')) {
    const isShared = object.metadata.name.startsWith(previewCertificateName({ domain: '' }));
    return isShared ? [qualifiedName(object.metadata)] : [];
  }
  const sites = [object, before].filter((each) => each !== undefined && isKind(each, 'Site'));
  return [...new Set(sites.flatMap(certificateOf))];
}

/**
 * One Certificate for each domain and namespace, of the Issuer of the oldest Site that has its
 * previews there; it goes with the last one. One that a person declared is left as it is.
 */
export async function reconcilePreviews(
  { world, writer }: { readonly world: World; readonly writer: Writer },
  name: string,
  author: Author,
): Promise<Outcome> {
  const users = world.list('Site').filter(isLive).toSorted(oldestFirst);
  const sites = users.filter((site) => certificateOf(site).includes(name)).slice(0, OWNERS_MAX);
  const certificate = world.get('Certificate', splitName(name));
  if (certificate !== undefined && !isShared(certificate)) return 'settled';
  const operations = planShared(certificate, sites, name);
  if (operations.length === 0) return 'settled';
  // The Site that owns it is in the store before it, whatever this mirror shows.
  const expected = sites.map((base): Operation => ({ kind: 'expect', base }));
  return afterWrite(await writer.commit([...expected, ...operations], author));
}

function planShared(
  certificate: Certificate | undefined,
  sites: readonly Site[],
  name: string,
): readonly Operation[] {
  const [oldest] = sites;
  const previews = oldest?.spec.previews;
  if (oldest === undefined || previews === undefined)
    return certificate === undefined ? [] : [{ kind: 'delete', base: certificate }];
  const { issuer } = oldest.spec.tls;
  const wanted = { names: [previewWildcard(previews)], issuer };
  const ownerReferences: readonly OwnerReference[] = sites.map((site) => ownedBy(site));
  if (certificate === undefined) {
    const metadata = { ...splitName(name), ownerReferences };
    const spec = { ...wanted, keyType: 'ecdsa-p256' };
    return [{ kind: 'create', object: { kind: 'Certificate', metadata, spec } }];
  }
  const next = {
    ...certificate,
    metadata: { ...certificate.metadata, ownerReferences },
    // The key type and the renewal may be chosen by hand.
    spec: { ...certificate.spec, ...wanted },
  };
  return [{ kind: 'replace', base: certificate, next }];
}

function certificateOf({ metadata: { namespace }, spec: { previews } }: Site): readonly string[] {
  if (previews === undefined) return [];
  return [qualifiedName({ namespace, name: previewCertificateName(previews) })];
}

function isShared({ metadata: { ownerReferences = [] } }: Certificate): boolean {
  return ownerReferences.some(({ kind }) => kind === 'Site');
}

function isLive({ metadata }: Site): boolean {
  return metadata.deletionTimestamp === undefined;
}

function oldestFirst({ metadata: a }: Site, { metadata: b }: Site): number {
  const [one, other] = [`${a.creationTimestamp} ${a.uid}`, `${b.creationTimestamp} ${b.uid}`];
  return one < other ? -1 : one > other ? 1 : 0;
}
