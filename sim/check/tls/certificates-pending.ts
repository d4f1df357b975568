import type { Certificate } from '../../../api/certificate.ts';
import type { Issuer } from '../../../api/issuer.ts';
import { condition } from '../../../api/object.ts';
import { isRolling } from '../../../controllers/acme/plan.ts';
import { isAcme } from '../../../controllers/acme/ports.ts';
import type { AcmeAccountRecord, RevocationRecord } from '../../../runtime/acme/records.ts';
import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { MaterialRecord } from '../../../runtime/store/records.ts';
import type { KeyValue, Store } from '../../../runtime/store/store.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { NAMESPACE } from '../../load/wish.ts';

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
  const issuers = (await store.list(kindPrefix('Issuer'))).items.map(
    (item) => decodeObject(item) as Issuer,
  );
  const accounts = (await store.list(recordKey('acmeAccount', ''))).items;
  return [
    ...issuers.flatMap((issuer) => pendingOnAccount(issuer, accounts)),
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

/** It is put off for as long as the CA says: what comes after that is no rest. */
function pendingOnAccount(issuer: Issuer, accounts: readonly KeyValue[]): readonly string[] {
  const { uid, name } = issuer.metadata;
  const key = recordKey('acmeAccount', uid);
  const item = accounts.find((each) => each.key === key);
  if (!isAcme(issuer) || item === undefined) return [];
  const account = JSON.parse(item.value) as AcmeAccountRecord;
  if (account.url === undefined) return [`Issuer ${name} to have an account`];
  return isRolling(issuer, account) ? [`the account of Issuer ${name} to have another key`] : [];
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
