import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import { TLS_SETTINGS } from './contexts.ts';
import { selfSignedIdentity } from './self-signed.ts';

/** The protocol that a CA offers, alone, to see a proof (RFC 8737 §6.2). */
export const ACME_PROTOCOL = 'acme-tls/1';

export interface AlpnProof {
  /** SHA-256 of the key authorization. */
  readonly digest: Uint8Array;
}

/** What a server shows to CAs over TLS (RFC 8737 §3), by host. */
export interface AlpnProofs {
  /** How many are up: while there are none, nobody needs to look who comes. */
  readonly size: number;
  replace(proofByHost: ReadonlyMap<string, AlpnProof>): void;
  has(serverName: string): boolean;
  /** With the certificate that shows the proof; undefined: there is none for this name. */
  contextFor(serverName: string): SecureContext | undefined;
}

interface Entry {
  readonly digest: Uint8Array;
  context?: SecureContext;
}

const DAY_MS = 86_400_000;

export function createAlpnProofs(
  clock: Pick<Clock, 'nowMs'>,
  random: Pick<Random, 'bytes'>,
): AlpnProofs {
  let entries = new Map<string, Entry>();

  function contextOf(name: string, digest: Uint8Array): SecureContext {
    const nowMs = clock.nowMs();
    const { chainPem: cert, keyPem: key } = selfSignedIdentity({
      name,
      commonName: 'ACME proof',
      // Nobody asks from when until when; by a clock that is wrong it is valid all the same.
      notBeforeMs: nowMs - 30 * DAY_MS,
      notAfterMs: nowMs + 30 * DAY_MS,
      serialNumber: random.bytes(16),
      acmeIdentifier: digest,
    });
    return createSecureContext({ ...TLS_SETTINGS, cert, key });
  }

  return {
    get size() {
      return entries.size;
    },
    replace(proofByHost) {
      const next = new Map<string, Entry>();
      for (const [host, { digest }] of proofByHost) {
        const known = entries.get(host);
        const isSame = known !== undefined && Buffer.compare(known.digest, digest) === 0;
        next.set(host, isSame ? known : { digest });
      }
      entries = next;
    },
    has: (serverName) => entries.has(serverName.toLowerCase()),
    contextFor(serverName) {
      const name = serverName.toLowerCase();
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      // Made when the CA comes: a thousand at once would hold up everybody else.
      entry.context ??= contextOf(name, entry.digest);
      return entry.context;
    },
  };
}
