/**
 * A limit as a bucket (Let's Encrypt counts so): `capacity` at once, then one every `refillMs`.
 */
export interface AcmeLimit {
  readonly capacity: number;
  readonly refillMs: number;
}

export interface AcmeLimits {
  /** Accounts that are registered, an address. */
  readonly accounts: AcmeLimit;
  /** Orders that are placed, an account. */
  readonly orders: AcmeLimit;
  /** Certificates, a registered domain (such as example.com), whoever asks. */
  readonly certificatesPerDomain: AcmeLimit;
  /** Certificates for exactly the same set of names, whoever asks. */
  readonly certificatesPerSet: AcmeLimit;
  /** Validations of one name that fail, an account. */
  readonly failedValidations: AcmeLimit;
  /**
   * Validations of one name that fail in a row, an account: beyond it the CA asks a person to
   * lift the ban. A success sets it back.
   */
  readonly failedInARow: AcmeLimit;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * What Let's Encrypt publishes: https://letsencrypt.org/docs/rate-limits/ (as of 12 June 2025).
 * Orders that say what they replace, at a time that the CA suggested (RFC 9773 §5), count
 * against none of them; others that renew a set of names do not count for its domain.
 */
export const LETS_ENCRYPT_LIMITS: AcmeLimits = {
  accounts: { capacity: 10, refillMs: 18 * MINUTE_MS },
  orders: { capacity: 300, refillMs: 36_000 },
  certificatesPerDomain: { capacity: 50, refillMs: 202 * MINUTE_MS },
  certificatesPerSet: { capacity: 5, refillMs: 34 * HOUR_MS },
  failedValidations: { capacity: 5, refillMs: 12 * MINUTE_MS },
  failedInARow: { capacity: 1152, refillMs: DAY_MS },
};

/** https://letsencrypt.org/docs/staging-environment/: what differs from the above, is higher. */
export const LETS_ENCRYPT_STAGING_LIMITS: AcmeLimits = {
  ...LETS_ENCRYPT_LIMITS,
  accounts: { capacity: 50, refillMs: 3_600 },
  orders: { capacity: 1_500, refillMs: 7_200 },
  certificatesPerDomain: { capacity: 30_000, refillMs: 20_000 },
  certificatesPerSet: { capacity: 30_000, refillMs: 20_000 },
  failedValidations: { capacity: 200, refillMs: 18_000 },
};

/** Names that one certificate may have, at Let's Encrypt (same page). */
export const ACME_NAMES_MAX = 100;

/** By the directory's URL: of these CAs the limits are known, and counted by whoever asks them. */
export const KNOWN_ACME_LIMITS: Readonly<Record<string, AcmeLimits>> = {
  'https://acme-v02.api.letsencrypt.org/directory': LETS_ENCRYPT_LIMITS,
  'https://acme-staging-v02.api.letsencrypt.org/directory': LETS_ENCRYPT_STAGING_LIMITS,
};
