import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { suffixOfPreview } from '../../../api/previews.ts';

/** A certificate and its key, named by the leaf's fingerprint. */
export interface TlsIdentity {
  readonly fingerprint: string;
  /** PEM, leaf first. */
  readonly chainPem: string;
  /** PEM. */
  readonly keyPem: string;
}

/**
 * Mozilla's "intermediate" configuration, version 5.7: TLS 1.2 and 1.3, forward secrecy only. Beyond
 * its key exchanges one that holds against quantum computers; and no client begins a handshake anew
 * within its connection (RFC 9325 §3.5), which only costs us.
 */
export const TLS_SETTINGS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: false,
  ecdhCurve: 'X25519MLKEM768:X25519:prime256v1:secp384r1',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;

/**
 * The certificates that a server answers with, by host.
 *
 * Guarantees: a context is made once per fingerprint; a swap concerns new handshakes only; a host
 * that had a usable certificate keeps it until it gets another usable one or is dropped (INV-29).
 */
export interface TlsContexts {
  /**
   * Replaces the table: hosts left out are refused from now on. Undefined: none for this host yet.
   * Returns what could not be used, by host, with the reason.
   */
  replace(
    identityByHost: ReadonlyMap<string, TlsIdentity | undefined>,
  ): ReadonlyMap<string, string>;
  /** Undefined: the name is not served here. */
  contextFor(serverName: string): SecureContext | undefined;
  /** What a host is answered with; for status. */
  fingerprintFor(host: string): string | undefined;
}

interface Entry {
  readonly fingerprint: string;
  readonly context: SecureContext;
}

export function createTlsContexts(): TlsContexts {
  let entryByHost: ReadonlyMap<string, Entry> = new Map();
  return {
    replace(identityByHost) {
      const problems = new Map<string, string>();
      const made = new Map([...entryByHost.values()].map((entry) => [entry.fingerprint, entry]));
      const next = new Map<string, Entry>();
      for (const [host, identity] of identityByHost) {
        const outcome = identity === undefined ? undefined : entryOf(identity, made);
        if (typeof outcome === 'string') problems.set(host, outcome);
        const entry = typeof outcome === 'object' ? outcome : entryByHost.get(host);
        if (entry !== undefined) next.set(host, entry);
      }
      entryByHost = next;
      return problems;
    },
    contextFor(serverName) {
      const name = serverName.toLowerCase();
      const entry = entryByHost.get(name) ?? entryByHost.get(suffixOfPreview(name) ?? '');
      return entry?.context;
    },
    fingerprintFor: (host) => entryByHost.get(host)?.fingerprint,
  };
}

/** A string says why there is none. */
function entryOf(identity: TlsIdentity, made: Map<string, Entry>): Entry | string {
  const { fingerprint, chainPem: cert, keyPem: key } = identity;
  const known = made.get(fingerprint);
  if (known !== undefined) return known;
  try {
    const entry = { fingerprint, context: createSecureContext({ ...TLS_SETTINGS, cert, key }) };
    made.set(fingerprint, entry);
    return entry;
  } catch (error) {
    // OpenSSL's messages name no key material.
    return `certificate ${fingerprint}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
