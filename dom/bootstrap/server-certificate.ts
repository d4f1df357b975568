import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import type { Log } from '../../runtime/log.ts';
import type { CertificateAuthority } from '../../runtime/tls/authority.ts';
import { domServerNames } from '../../runtime/tls/server-names.ts';

const LIFETIME_MS = 30 * 24 * 3600 * 1000;
const RENEW_AFTER_MS = (LIFETIME_MS * 2) / 3;
const RETRY_MS = 60_000;
/** The age is looked at this often: timers stand still while a machine is suspended. */
const LOOK_EVERY_MS = 3600 * 1000;

export interface ServerKeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface ServerCertificate {
  current(): ServerKeyPair;
  onChange(listener: (next: ServerKeyPair) => void): void;
}

/** Dom's own certificate, made at each start and renewed while dom runs. */
export async function keepServerCertificate(ports: {
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
  readonly log: Log;
  /** Further names that dom is dialled by. */
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
}): Promise<ServerCertificate> {
  const { authority, clock, log, signal } = ports;
  const names = domServerNames(ports.hosts);
  const issue = async (): Promise<ServerKeyPair> => {
    const issued = await authority.issueServer({
      names,
      keyType: 'ecdsa-p256',
      lifetimeMs: LIFETIME_MS,
    });
    return { certPem: issued.chainPem, keyPem: issued.keyPem };
  };
  let pair = await issue();
  const listeners: ((next: ServerKeyPair) => void)[] = [];

  async function renew(): Promise<void> {
    let issuedMs = clock.nowMs();
    let waitMs = LOOK_EVERY_MS;
    while (!signal.aborted) {
      await clock.sleep(waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      waitMs = LOOK_EVERY_MS;
      // Issued in the future: the clock went back, and nobody takes the certificate yet.
      const ageMs = clock.nowMs() - issuedMs;
      if (ageMs >= 0 && ageMs < RENEW_AFTER_MS) continue;
      try {
        pair = await issue();
        issuedMs = clock.nowMs();
        for (const listener of listeners) listener(pair);
      } catch (error) {
        log.error(
          { error: describeError(error) },
          "dom's own certificate was not renewed; trying again",
        );
        waitMs = RETRY_MS;
      }
    }
  }

  void renew();
  return { current: () => pair, onChange: (listener) => listeners.push(listener) };
}
