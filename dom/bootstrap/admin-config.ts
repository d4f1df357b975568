import { X509Certificate } from 'node:crypto';
import {
  connectionOf,
  parseConfig,
  renderConfig,
  singleConfig,
} from '../../runtime/client-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { CertificateAuthority } from '../../runtime/tls/authority.ts';

/** The administrator's certificate is renewed at a start of dom in the second half of its life. */
export const ADMIN_LIFETIME_MS = 365 * 24 * 3600 * 1000;
/** In dom's state folder: the config for b8sctl, and the CA for browsers and curl. */
export const CONFIG_PATH = 'config';
export const CA_PATH = 'ca.pem';

/**
 * Leaves in dom's state folder what the first administrator needs: a b8sctl config with its own
 * client certificate, and the CA. A config that is still good stays as it is.
 */
export async function writeAdminConfig(ports: {
  readonly disk: Disk;
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
  /** "host:port" of dom. */
  readonly server: string;
}): Promise<void> {
  const { disk, authority, clock, server } = ports;
  await disk.write(CA_PATH, Buffer.from(authority.caPem));
  const before = await disk.read(CONFIG_PATH);
  const good =
    before !== undefined &&
    isGood(Buffer.from(before).toString(), {
      caPem: authority.caPem,
      server,
      nowMs: clock.nowMs(),
    });
  if (good) return;
  const identity = { kind: 'user', name: 'admin', role: 'admin' } as const;
  const issued = await authority.issueClient({ identity, lifetimeMs: ADMIN_LIFETIME_MS });
  const config = singleConfig(
    'admin@b8s',
    { server, certificateAuthorityData: base64(authority.caPem) },
    { clientCertificateData: base64(issued.chainPem), clientKeyData: base64(issued.keyPem) },
  );
  await disk.write(CONFIG_PATH, Buffer.from(renderConfig(config)));
}

function isGood(
  text: string,
  wanted: { readonly caPem: string; readonly server: string; readonly nowMs: number },
): boolean {
  try {
    const config = parseConfig(text);
    const connection = connectionOf(config, config.currentContext);
    const certificate = new X509Certificate(connection.certificatePem);
    const leftMs = certificate.validToDate.getTime() - wanted.nowMs;
    const same = connection.server === wanted.server && connection.caPem === wanted.caPem;
    return same && leftMs > ADMIN_LIFETIME_MS / 2;
  } catch {
    // Unreadable: it is of no use to anyone as it is.
    return false;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
