import type { Certificate } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import type { RevocationRecord } from '../../runtime/acme/records.ts';
import { kindPrefix, recordKey } from '../../runtime/keys.ts';
import { decodeObject } from '../../runtime/mirror.ts';
import type { MaterialRecord } from '../../runtime/records.ts';
import type { Store } from '../../runtime/store.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { NAMESPACE } from '../load/wish.ts';

/** What ends sooner is renewed before the world rests: once it is calm, its CA gives long lives. */
const LASTING_MS = 24 * 60 * 60_000;

/** What certificates a world with an ACME CA still waits for, in words. */
export async function pendingOnCertificates(
  { store, wish }: Pick<Cluster, 'wish'> & { readonly store: Pick<Store, 'list'> },
  nowMs: number,
): Promise<readonly string[]> {
  const { items } = await store.list(kindPrefix('Certificate'));
  const all = items.map((item) => decodeObject(item) as Certificate);
  const names = new Set(all.map(({ metadata }) => metadata.name));
  const missing = [...wish.certificates.keys()].filter((name) => !names.has(name));
  const orders = await store.list(recordKey('acmeOrder', ''));
  return [
    ...missing.map((name) => `Certificate ${name}, which is not declared`),
    ...all.flatMap((certificate) => pendingOn(certificate, nowMs)),
    ...orders.items.map(({ key }) => `the order ${key} to come to an end`),
    ...(await pendingRevocations(store)),
  ];
}

/** One that is in use again, for nobody wants another any more, is told of when it is replaced. */
async function pendingRevocations(store: Pick<Store, 'list'>): Promise<readonly string[]> {
  const materials = await store.list(recordKey('material', ''));
  const inUse = new Set(
    materials.items.map(({ value }) => (JSON.parse(value) as MaterialRecord).fingerprint),
  );
  const prefix = recordKey('revocation', '');
  const { items } = await store.list(prefix);
  return items.flatMap(({ key, value }) => {
    const { revokedMs, certificate, failure } = JSON.parse(value) as RevocationRecord;
    const fingerprint = key.slice(prefix.length);
    if (revokedMs !== undefined || inUse.has(fingerprint)) return [];
    const why = failure === undefined ? '' : `: ${failure.message}`;
    return [
      `the CA to revoke ${fingerprint.slice(0, 12)} of Certificate ${certificate.name}${why}`,
    ];
  });
}

function pendingOn(certificate: Certificate, nowMs: number): readonly string[] {
  const { metadata, status } = certificate;
  const what = `Certificate ${metadata.name}`;
  // Of Sites that can never become ready.
  if (metadata.namespace === NAMESPACE && metadata.name.startsWith('poison-')) return [];
  const ready = condition(certificate, 'Ready');
  if (ready?.status !== 'True') return [`${what}, which is ${ready?.reason}: ${ready?.message}`];
  if (ready.observedGeneration !== metadata.generation) return [`${what} to be looked at`];
  const leftMs = Date.parse(status?.notAfter ?? '') - nowMs;
  return leftMs > LASTING_MS ? [] : [`${what} to be renewed: it is good for ${leftMs} ms`];
}
