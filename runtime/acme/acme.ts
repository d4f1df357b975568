import type { KeyType } from '../tls/authority.ts';

/** Where a CA is, and whom to trust there. */
export interface AcmeServer {
  /** URL of its directory (RFC 8555 §7.1.1): https, or http on loopback. */
  readonly directory: string;
  /**
   * PEM of the CA that its own HTTPS certificate chains to; undefined: what Node trusts, Mozilla's
   * roots and those of NODE_EXTRA_CA_CERTS.
   */
  readonly caPem?: string | undefined;
}

/** Who asks: a key that the CA knows. */
export interface AcmeAccount {
  readonly server: AcmeServer;
  /** The account's URL, as `register` returned it. */
  readonly url: string;
  /** PEM, PKCS #8. A secret. */
  readonly keyPem: string;
}

export interface AcmeDirectory {
  readonly termsOfService?: string;
  readonly website?: string;
  /** Names that CAA records may allow this CA by (RFC 8659 §4.2). */
  readonly caaIdentities: readonly string[];
  readonly externalAccountRequired: boolean;
  /** Profiles that orders may name, with what they are, by name; empty: it has none. */
  readonly profiles: Readonly<Record<string, string>>;
  /** It says when certificates should be renewed (RFC 9773). */
  readonly hasRenewalInfo: boolean;
}

/** A binding to an account that exists elsewhere (RFC 8555 §7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** The MAC key, base64url. A secret. */
  readonly macKey: string;
}

/** RFC 8555 §7.1.3. */
export interface AcmeOrder {
  readonly url: string;
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  /** DNS names, lower case, sorted: as the CA says, so compare them with what was ordered. */
  readonly names: readonly string[];
  /** URLs, in no order: it may change from answer to answer. */
  readonly authorizations: readonly string[];
  readonly finalizeUrl: string;
  /** There once `valid`. */
  readonly certificateUrl?: string;
  readonly expiresMs?: number;
  /** Why it is `invalid`. */
  readonly problem?: AcmeProblemDocument;
  /** When to look again, from now; undefined: the CA did not say. */
  readonly retryAfterMs?: number;
}

/** RFC 8555 §7.1.4. */
export interface AcmeAuthorization {
  readonly url: string;
  /** Without `*.`. */
  readonly name: string;
  readonly wildcard: boolean;
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  readonly expiresMs?: number;
  /** Those of a type that we know. */
  readonly challenges: readonly AcmeChallenge[];
  readonly retryAfterMs?: number;
}

export type ChallengeType = 'dns-01' | 'http-01' | 'tls-alpn-01';

export const CHALLENGE_TYPES: readonly ChallengeType[] = ['dns-01', 'http-01', 'tls-alpn-01'];

export interface AcmeChallenge {
  readonly type: ChallengeType;
  readonly url: string;
  /** base64url, checked: it becomes part of paths. */
  readonly token: string;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  readonly problem?: AcmeProblemDocument;
}

/** RFC 9773 §4.2. */
export interface RenewalInfo {
  readonly startMs: number;
  readonly endMs: number;
  /** A page that tells people why. */
  readonly explanationUrl?: string;
  /** How long this holds; bounded by the adapter to between a minute and a day. */
  readonly retryAfterMs: number;
}

/** RFC 5280 §5.3.1, as far as ACME's CAs take them. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
} as const;

export type RevocationReason = keyof typeof REVOCATION_REASONS;

/** RFC 8555 §6.7: what the CA says of an error. */
export interface AcmeProblemDocument {
  /** Without `urn:ietf:params:acme:error:`, e.g. "rateLimited"; as sent when it is another URN. */
  readonly type: string;
  readonly detail: string;
  /** HTTP status. */
  readonly status?: number;
  readonly subproblems?: readonly {
    readonly type: string;
    readonly detail: string;
    readonly name?: string;
  }[];
}

/** The CA was reached and said no. Anything else that is thrown: it could not be reached. */
export class AcmeProblem extends Error {
  override readonly name = 'AcmeProblem';
  readonly document: AcmeProblemDocument;
  /** When the CA wants to be asked again, from now; undefined: it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(document: AcmeProblemDocument, retryAfterMs?: number) {
    super(`${document.type}: ${document.detail}`);
    this.document = document;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Certificate authorities that speak ACME (RFC 8555, RFC 9773), as a port. One call is one step of
 * the protocol; nothing that matters is remembered between calls, so a caller who kept what it was
 * told goes on after a crash.
 *
 * Guarantees: a call settles within a bound of its own (30 s), or soon after `signal` is aborted.
 * `badNonce` is tried again with the fresh nonce, a bounded number of times; nothing else is tried
 * again by itself. What a CA sends is checked and bounded before it is returned.
 * Assumptions: the same account key is never in use under two accounts of one CA.
 * Caveats: an answer may be lost after it took effect: `createOrder` is the one call that is not
 * idempotent; `listOrders` finds what it left where the CA keeps a list.
 * Errors: `AcmeProblem` when the CA refuses; any other error when it cannot be reached or talks
 * nonsense. No error's text holds a key.
 */
export interface Acme {
  /** A new private key: PEM, PKCS #8. A secret. */
  makeKey(type: KeyType): Promise<string>;
  /** What a token is answered with: `<token>.<thumbprint of the account's key>` (RFC 8555 §8.1). */
  keyAuthorization(token: string, accountKeyPem: string): string;
  directory(server: AcmeServer, signal: AbortSignal): Promise<AcmeDirectory>;
  /**
   * The account's URL; of the account that the key has already, if any (RFC 8555 §7.3). One that is
   * deactivated or revoked is refused as `unauthorized`, here and everywhere (§7.3.6).
   */
  register(
    server: AcmeServer,
    request: {
      readonly keyPem: string;
      /** "mailto:ops@example.com". */
      readonly contact: readonly string[];
      readonly externalAccount?: ExternalAccount | undefined;
    },
    signal: AbortSignal,
  ): Promise<string>;
  /** The URL of the account that has this key; undefined: the CA knows none (RFC 8555 §7.3.1). */
  findAccount(server: AcmeServer, keyPem: string, signal: AbortSignal): Promise<string | undefined>;
  /** RFC 8555 §7.3.2. */
  updateContact(
    account: AcmeAccount,
    contact: readonly string[],
    signal: AbortSignal,
  ): Promise<void>;
  /** RFC 8555 §7.3.5: from now on the account has the new key. */
  changeKey(account: AcmeAccount, newKeyPem: string, signal: AbortSignal): Promise<void>;
  createOrder(
    account: AcmeAccount,
    request: {
      readonly names: readonly string[];
      readonly profile?: string | undefined;
      /** Chain of the certificate that this one takes over from (RFC 9773 §5). */
      readonly replacesPem?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<AcmeOrder>;
  readOrder(account: AcmeAccount, url: string, signal: AbortSignal): Promise<AcmeOrder>;
  /**
   * URLs of orders, the last 1,000 of the CA's list, which may leave invalid ones out. RFC 8555
   * §7.1.2.1 gives it no order; those CAs that have one put the oldest first. Undefined: this CA keeps
   * no list, as Let's Encrypt, which hands an order that is open out again to who orders the same.
   */
  listOrders(account: AcmeAccount, signal: AbortSignal): Promise<readonly string[] | undefined>;
  readAuthorization(
    account: AcmeAccount,
    url: string,
    signal: AbortSignal,
  ): Promise<AcmeAuthorization>;
  /**
   * Tells the CA to look (RFC 8555 §7.5.1). Saying so again while it looks, or after it has seen
   * the proof, does no harm; after it has failed, the CA refuses.
   */
  answerChallenge(account: AcmeAccount, url: string, signal: AbortSignal): Promise<void>;
  /**
   * Sends a request for these names, signed with the certificate's key (RFC 8555 §7.4). An order that
   * is not `ready`, also one that was finalized before, is refused as `orderNotReady`: read it.
   */
  finalize(
    account: AcmeAccount,
    request: {
      readonly finalizeUrl: string;
      readonly orderUrl: string;
      readonly names: readonly string[];
      readonly keyPem: string;
    },
    signal: AbortSignal,
  ): Promise<AcmeOrder>;
  /** PEM, leaf first: the chain that the CA prefers, then its alternates (RFC 8555 §7.4.2). */
  download(
    account: AcmeAccount,
    certificateUrl: string,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /**
   * RFC 8555 §7.6. One that is revoked already counts as done. `keyPem`: the certificate's own key,
   * which signs instead of the account: whoever has it may, whichever account it is of. CAs may give
   * keyCompromise as the reason then.
   */
  revoke(
    account: AcmeAccount,
    request: {
      readonly chainPem: string;
      readonly reason: RevocationReason;
      readonly keyPem?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<void>;
  /** Undefined: this CA does not say, or does not know the certificate. */
  renewalInfo(
    server: AcmeServer,
    chainPem: string,
    signal: AbortSignal,
  ): Promise<RenewalInfo | undefined>;
}

/** What a chain and a key say of themselves. */
export interface CertificateFacts {
  /** DNS names of the leaf, lower case, sorted. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly keyType: KeyType | 'other';
  /** Common names of the issuers up the chain; the last one is where trust begins. */
  readonly issuers: readonly string[];
  /** What is wrong with it, for a person: order of the chain, a signature, the key; empty: nothing. */
  readonly problems: readonly string[];
}

/** Reads certificates, as a port, for the simulation has none with real signatures. */
export interface CertificateReader {
  /** Throws when the text is no certificate at all. `keyPem` left out: keys are not compared. */
  read(chainPem: string, keyPem?: string): CertificateFacts;
}
