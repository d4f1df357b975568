/** A certificate with its chain and what others need to know of it. */
export interface SignedCertificate {
  /** PEM, leaf first, up to but not including the CA itself. */
  readonly chainPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  /** Hex. */
  readonly serialNumber: string;
}

export interface IssuedCertificate extends SignedCertificate {
  /** PEM, PKCS #8. A secret: seal it before it is stored. */
  readonly keyPem: string;
}

export type KeyType = 'ecdsa-p256' | 'rsa-2048';

/**
 * The built-in certificate authority, as a port.
 *
 * Guarantees: every leaf chains to `caPem` and ends no later than it; serial numbers never repeat; `notBefore` lies a few
 * minutes back, for clocks that differ.
 * Errors: a request that must not be signed (a bad signature on the CSR, a weak key) throws.
 */
export interface CertificateAuthority {
  readonly caPem: string;
  /** "sha256:<64 hex digits>" of the CA certificate's DER: what joining nodes pin. */
  readonly caHash: string;
  /** A server certificate for DNS names, with a new key. */
  issueServer(request: {
    readonly names: readonly string[];
    readonly keyType: KeyType;
    readonly lifetimeMs: number;
  }): Promise<IssuedCertificate>;
  /** A client certificate for `identity`, with a new key. */
  issueClient(request: {
    readonly identity: Identity;
    readonly lifetimeMs: number;
  }): Promise<IssuedCertificate>;
  /** Signs a node's request: only its public key is taken from it, the identity is dom's to say. */
  signRequest(request: {
    readonly csr: Uint8Array;
    readonly identity: Identity;
    readonly lifetimeMs: number;
  }): Promise<SignedCertificate>;
}

/** Who a client certificate speaks for; kept in it as a URI: `b8s://node/london/<uid>`, `b8s://user/admin`. */
export type Identity =
  | { readonly kind: 'node'; readonly name: string; readonly uid: string }
  | {
      readonly kind: 'user';
      readonly name: string;
      readonly role: 'admin' | 'viewer';
      /** Of the certificate that was shown, hex, lower case; absent: it is not known. */
      readonly serial?: string;
    };

/** `b8s://node/london/<uid>` or `b8s://user/admin/<role>`. */
export function identityUri(identity: Identity): string {
  return identity.kind === 'node'
    ? `b8s://node/${identity.name}/${identity.uid}`
    : `b8s://user/${identity.name}/${identity.role}`;
}

/** Undefined for what is not one of our URIs. */
export function parseIdentityUri(uri: string): Identity | undefined {
  const match = /^b8s:\/\/(node|user)\/([a-z0-9.-]+)\/([a-z0-9-]+)$/.exec(uri);
  if (match === null) return undefined;
  const [, kind, name = '', tail = ''] = match;
  if (kind === 'node') return { kind, name, uid: tail };
  if (tail === 'admin' || tail === 'viewer') return { kind: 'user', name, role: tail };
  return undefined;
}

/**
 * Encrypts secrets before they are stored (INV-33), authenticated, as a port.
 *
 * Errors: `open` throws when the text was sealed with another key or was changed.
 */
export interface Sealer {
  /** `context` is bound to the secret: it opens only with the same one. */
  seal(secret: string, context: string): string;
  open(sealed: string, context: string): string;
}

/** Whether a sealed text can be opened: not after the seal key was lost. */
export function canOpen(
  sealer: Pick<Sealer, 'open'>,
  { sealed, context }: { readonly sealed: string; readonly context: string },
): boolean {
  try {
    sealer.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}
