/** A limit as a bucket, as Let's Encrypt counts: `capacity` at once, then one every `refillMs`. */
export interface AcmeLimit {
  readonly capacity: number;
  readonly refillMs: number;
}

export interface AcmeLimits {
  /** Accounts that are registered, an address. */
  readonly accounts: AcmeLimit;
  /** Orders that are placed, an account. */
  readonly orders: AcmeLimit;
  /** Certificates that are issued, a registered domain (such as example.com), whoever asks. */
  readonly certificatesPerDomain: AcmeLimit;
  /** Certificates that are issued for exactly the same set of names, whoever asks. */
  readonly certificatesPerSet: AcmeLimit;
  /** Validations of one name that fail, an account. */
  readonly failedValidations: AcmeLimit;
  /**
   * Validations of one name that fail in a row, an account: beyond it the CA refuses the name
   * until a person has asked for it at the CA's portal. A success sets it back.
   */
  readonly failedInARow: AcmeLimit;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/**
 * What Let's Encrypt publishes at https://letsencrypt.org/docs/rate-limits/ (read as of 12 June
 * 2025; `failedInARow` as of 5 December 2024, https://github.com/letsencrypt/website/pull/1785).
 *
 * Exempt from all: orders that say which certificate they replace (RFC 9773 §5) once the CA's
 * window for that has begun. Exempt from `orders` and `certificatesPerDomain`: others for exactly
 * the names of an earlier certificate. The first two refuse an order; the next two are looked at
 * when it is placed and counted when its certificate is issued.
 */
export const LETS_ENCRYPT_LIMITS: AcmeLimits = {
  accounts: { capacity: 10, refillMs: 18 * MINUTE_MS },
  orders: { capacity: 300, refillMs: 36_000 },
  certificatesPerDomain: { capacity: 50, refillMs: 202 * MINUTE_MS },
  certificatesPerSet: { capacity: 5, refillMs: 34 * HOUR_MS },
  failedValidations: { capacity: 5, refillMs: 12 * MINUTE_MS },
  failedInARow: { capacity: 3_600, refillMs: DAY_MS },
};

/**
 * https://letsencrypt.org/docs/staging-environment/ gives numbers and weeks; one is refilled in an
 * even part of these.
 */
export const LETS_ENCRYPT_STAGING_LIMITS: AcmeLimits = {
  ...LETS_ENCRYPT_LIMITS,
  accounts: { capacity: 50, refillMs: (3 * HOUR_MS) / 50 },
  orders: { capacity: 1_500, refillMs: (3 * HOUR_MS) / 1_500 },
  certificatesPerDomain: { capacity: 30_000, refillMs: WEEK_MS / 30_000 },
  certificatesPerSet: { capacity: 30_000, refillMs: WEEK_MS / 30_000 },
  failedValidations: { capacity: 60, refillMs: HOUR_MS / 60 },
};

/** Names that one certificate may have, at Let's Encrypt (the first of these pages). */
export const ACME_NAMES_MAX = 100;

/** By the directory's URL: of these CAs the limits are known, and counted by whoever asks them. */
export type KnownAcmeLimits = Readonly<Record<string, AcmeLimits>>;

export const KNOWN_ACME_LIMITS: KnownAcmeLimits = {
  'https://acme-v02.api.letsencrypt.org/directory': LETS_ENCRYPT_LIMITS,
  'https://acme-staging-v02.api.letsencrypt.org/directory': LETS_ENCRYPT_STAGING_LIMITS,
};
