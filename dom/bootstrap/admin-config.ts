import { X509Certificate } from 'node:crypto';
import {
  connectionOf,
  parseConfig,
  renderConfig,
  singleConfig,
} from '../../runtime/client-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { UserRecord } from '../../runtime/store/records.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { CertificateAuthority } from '../../runtime/tls/authority.ts';
import { isRefused, readUser, recordCertificate } from '../identity/user-record.ts';

/** The administrator's certificate is renewed at a start of dom in the second half of its life. */
export const ADMIN_LIFETIME_MS = 365 * 24 * 3600 * 1000;
/** In dom's state folder: the config for b8sctl, and the CA for browsers and curl. */
export const CONFIG_PATH = 'config';
export const CA_PATH = 'ca.pem';

const NAME = 'admin';

/**
 * Leaves in dom's state folder what the first administrator needs: a b8sctl config with its own
 * client certificate, and the CA. A config that is still good stays as it is; one that was revoked
 * is made anew, so that `b8sctl user revoke admin` locks nobody out who has this machine.
 */
export async function writeAdminConfig(ports: {
  readonly store: Store;
  readonly disk: Disk;
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
  /** "host:port" of dom. */
  readonly server: string;
}): Promise<void> {
  const { store, disk, authority, clock, server } = ports;
  await disk.write(CA_PATH, Buffer.from(authority.caPem));
  const before = await disk.read(CONFIG_PATH);
  const good =
    before !== undefined &&
    isGood(Buffer.from(before).toString(), {
      caPem: authority.caPem,
      server,
      nowMs: clock.nowMs(),
      record: await readUser(store, NAME),
    });
  if (good) return;
  const role = 'admin';
  const identity = { kind: 'user', name: NAME, role } as const;
  const issued = await authority.issueClient({ identity, lifetimeMs: ADMIN_LIFETIME_MS });
  const { serialNumber: serial, notAfterMs: expiresMs } = issued;
  const certificate = {
    serial,
    role,
    createdBy: 'dom',
    createdMs: clock.nowMs(),
    expiresMs,
  } as const;
  await recordCertificate(store, NAME, certificate);
  const config = singleConfig(
    `${NAME}@b8s`,
    { server, certificateAuthorityData: base64(authority.caPem) },
    { clientCertificateData: base64(issued.chainPem), clientKeyData: base64(issued.keyPem) },
  );
  await disk.write(CONFIG_PATH, Buffer.from(renderConfig(config)));
}

function isGood(
  text: string,
  wanted: {
    readonly caPem: string;
    readonly server: string;
    readonly nowMs: number;
    readonly record: UserRecord | undefined;
  },
): boolean {
  try {
    const config = parseConfig(text);
    const connection = connectionOf(config, config.currentContext);
    const certificate = new X509Certificate(connection.certificatePem);
    const leftMs = certificate.validToDate.getTime() - wanted.nowMs;
    const same = connection.server === wanted.server && connection.caPem === wanted.caPem;
    const revoked = isRefused(wanted.record, certificate.serialNumber.toLowerCase());
    return same && !revoked && leftMs > ADMIN_LIFETIME_MS / 2;
  } catch {
    // Unreadable: it is of no use to anyone as it is.
    return false;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
