import type { JoinRequest, JoinResponse } from '../../proto/gen/b8s/v1/identity.ts';

/** What a node shows to dom, and what it knows dom by. */
export interface NodeCredentials {
  /** "host:port" of each dom. */
  readonly domAddresses: readonly string[];
  readonly caPem: string;
  /** PEM, leaf first. */
  readonly certificatePem: string;
  /** PEM, PKCS #8. A secret that never leaves the node. */
  readonly keyPem: string;
}

export interface KeyRequest {
  /** PEM, PKCS #8. A secret that never leaves the node. */
  readonly keyPem: string;
  /** PKCS #10, DER: asks for a certificate for this key. */
  readonly csr: Uint8Array;
}

/** Makes keys, as a port: ECDSA P-256 in production. Each call makes a new one. */
export interface KeyMaker {
  create(commonName: string): Promise<KeyRequest>;
}

/**
 * How a machine that has nothing but a token meets dom, as a port.
 *
 * Errors: an `Error` that says in words what failed; the signal's reason.
 */
export interface Enrolment {
  /**
   * The certificates, in DER, that whoever answers at "host:port" presents. Nothing is verified
   * but that the first one's key is there: match the CA by its hash before anything is said.
   */
  presentedChain(address: string, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** Spends the token, over TLS that is verified against `caPem`. */
  join(options: {
    readonly address: string;
    readonly caPem: string;
    readonly request: JoinRequest;
    readonly signal: AbortSignal;
  }): Promise<JoinResponse>;
}

/** Asks dom for a new certificate while the old one is good, as a port. */
export interface Renewal {
  renew(
    csr: Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly chainPem: string; readonly caPem: string }>;
}
