import { recordKey } from '../../runtime/store/keys.ts';
import type { UserCertificate, UserRecord } from '../../runtime/store/records.ts';
import type { Store } from '../../runtime/store/store.ts';

/** Whether what a user shows was taken back; `serial` undefined: of a certificate not known. */
export function isRefused(record: UserRecord | undefined, serial: string | undefined): boolean {
  if (record?.revoked === undefined) return false;
  return !record.certificates.some((each) => each.serial === serial);
}

/** With one more; without those that had expired when it was made. */
export function withCertificate(
  record: UserRecord | undefined,
  certificate: UserCertificate,
): UserRecord {
  const good = (record?.certificates ?? []).filter(
    ({ expiresMs }) => expiresMs > certificate.createdMs,
  );
  return { ...record, certificates: [...good, certificate] };
}

export async function readUser(store: Store, name: string): Promise<UserRecord | undefined> {
  const item = await store.get(recordKey('user', name));
  return item === undefined ? undefined : (JSON.parse(item.value) as UserRecord);
}

/**
 * Adds a certificate to the list of its user, of a dom that does not lead yet: with what it leaves
 * in its own state folder nobody would come in, if the name was revoked before.
 */
export async function recordCertificate(
  store: Store,
  name: string,
  certificate: UserCertificate,
): Promise<void> {
  const key = recordKey('user', name);
  for (;;) {
    const item = await store.get(key);
    const before = item === undefined ? undefined : (JSON.parse(item.value) as UserRecord);
    const value = JSON.stringify(withCertificate(before, certificate));
    const { outcome } = await store.commit({
      guards: [{ key, modRevision: item?.modRevision ?? 0n }],
      writes: [{ kind: 'put', key, value }],
    });
    if (outcome === 'committed') return;
  }
}
