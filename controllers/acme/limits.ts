import { getDomain } from 'tldts';
import type { AcmeLimit, AcmeLimits } from '../../runtime/acme/limits.ts';
import type { AcmeCountRecord, IssuanceRecord } from '../../runtime/acme/records.ts';
import { areSameNames } from '../../runtime/tls/renewal.ts';
import { leftMs } from './plan.ts';

/** How long what was ordered counts: the slowest limit is full again after 7 days and 2 hours. */
export const COUNTED_MS = 8 * 86_400_000;

export interface LimitFacts {
  readonly directory: string;
  readonly issuerUid: string;
  readonly names: readonly string[];
  readonly kind: AcmeCountRecord['kind'];
  /** Undefined: not known of this CA. */
  readonly limits: AcmeLimits | undefined;
  readonly counts: readonly AcmeCountRecord[];
  readonly issuances: readonly IssuanceRecord[];
}

export interface LimitReached {
  /** For a person: which, and where it is written down. */
  readonly message: string;
  readonly inMs: number;
}

/**
 * Pure: the limit of the CA that another order would break now, or that the CA has said is broken;
 * undefined: none that is known. Orders are counted when they are placed, so never too few (INV-30).
 */
export function limitReached(facts: LimitFacts, nowMs: number): LimitReached | undefined {
  const { limits, kind } = facts;
  const counted = limits === undefined || kind === 'suggested' ? [] : limitsFor(facts, limits);
  const reached = counted.flatMap(({ limit, timesMs, what }) => {
    const inMs = waitMs(limit, timesMs, nowMs);
    return inMs === undefined ? [] : [{ inMs, message: `${what}; ${PUBLISHED}` }];
  });
  return [...refusals(facts, nowMs), ...reached].toSorted((a, b) => b.inMs - a.inMs)[0];
}

/** What the CA said to another order for just these names, perhaps of a Certificate that is gone. */
function refusals(
  { counts, issuerUid, directory, names }: LimitFacts,
  nowMs: number,
): readonly LimitReached[] {
  return counts.flatMap((each) => {
    const { refusedUntilMs: nextTryMs, endedMs: sinceMs } = each;
    if (nextTryMs === undefined || sinceMs === undefined) return [];
    const isSame = each.issuerUid === issuerUid && each.directory === directory;
    const inMs =
      isSame && areSameNames(each.names, names) ? leftMs({ nextTryMs, sinceMs }, nowMs) : 0;
    return inMs > 0 ? [{ inMs, message: REFUSED }] : [];
  });
}

const REFUSED = 'the CA refused an order for just these names as one too many';
const PUBLISHED = 'see https://letsencrypt.org/docs/rate-limits/';

interface Counted {
  readonly limit: AcmeLimit;
  readonly timesMs: readonly number[];
  readonly what: string;
}

function limitsFor(facts: LimitFacts, limits: AcmeLimits): readonly Counted[] {
  const { names, issuerUid, directory } = facts;
  const counts = facts.counts.filter((each) => each.directory === directory);
  const certificates = counts.filter(({ certificate }) => certificate !== 'none');
  const sameSet = certificates.filter((each) => areSameNames(each.names, names));
  const set: Counted = {
    limit: limits.certificatesPerSet,
    timesMs: sameSet.map(issuedMs),
    what: `the CA gives out ${limits.certificatesPerSet.capacity} certificates for just these names, then few`,
  };
  const all = [set, ...failedValidations(facts, limits)];
  if (facts.kind === 'renewal') return all;
  const own = counts.filter((each) => each.issuerUid === issuerUid && each.kind === 'first');
  const orders: Counted = {
    limit: limits.orders,
    timesMs: own.map(({ startedMs }) => startedMs),
    what: `the CA takes ${limits.orders.capacity} orders of one account, then few`,
  };
  // Each name is looked at once: a hundred names of each of a thousand orders are many.
  const timesOf = new Map<string, number[]>();
  for (const name of names) timesOf.set(registeredDomain(name), []);
  for (const each of certificates.filter(({ kind }) => kind === 'first'))
    for (const domain of new Set(each.names.map(registeredDomain)))
      timesOf.get(domain)?.push(issuedMs(each));
  const domains = [...timesOf].map(([domain, timesMs]): Counted => {
    const { capacity } = limits.certificatesPerDomain;
    return {
      limit: limits.certificatesPerDomain,
      timesMs,
      what: `the CA gives out ${capacity} new certificates for names of ${domain}, then few`,
    };
  });
  return [...all, orders, ...domains];
}

/** At the latest. */
function issuedMs({ startedMs, endedMs }: AcmeCountRecord): number {
  return endedMs ?? startedMs;
}

function failedValidations(
  { names, issuances }: LimitFacts,
  limits: AcmeLimits,
): readonly Counted[] {
  const tries = issuances.flatMap((issuance) => issuance.tries);
  return [...new Set(names.map(withoutWildcard))].map((name) => ({
    limit: limits.failedValidations,
    timesMs: tries
      .filter(({ unproven = [] }) => unproven.includes(name))
      .map(({ endedMs }) => endedMs),
    what: `the CA lets ${limits.failedValidations.capacity} validations of ${name} fail, then few`,
  }));
}

/** The time until there is room for one more; undefined: there is now. */
function waitMs(
  { capacity, refillMs }: AcmeLimit,
  timesMs: readonly number[],
  nowMs: number,
): number | undefined {
  let fullMs = 0;
  // What a clock that was ahead has left behind counts as of now.
  for (const timeMs of timesMs.map((each) => Math.min(each, nowMs)).toSorted((a, b) => a - b))
    fullMs = Math.max(fullMs, timeMs) + refillMs;
  const overMs = Math.max(0, fullMs - nowMs) + refillMs - capacity * refillMs;
  return overMs > 0 ? overMs : undefined;
}

/** `example.co.uk` of `www.example.co.uk`, by the Public Suffix List; a suffix is one by itself. */
export function registeredDomain(name: string): string {
  const host = withoutWildcard(name);
  return getDomain(host, { allowPrivateDomains: true, validateHostname: false }) ?? host;
}

export function withoutWildcard(name: string): string {
  return name.startsWith('*.') ? name.slice(2) : name;
}
