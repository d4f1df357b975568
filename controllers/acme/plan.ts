import type { Certificate } from '../../api/certificate.ts';
import { formatDuration } from '../../api/duration.ts';
import { ROLLOVER_REQUESTED } from '../../api/requests.ts';
import type {
  AcmeAccountRecord,
  AcmeOrderRecord,
  IssuanceFailure,
  IssuanceRecord,
} from '../../runtime/acme/records.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import {
  AHEAD_MS_MAX,
  areSameNames,
  isCeased,
  renewalMs,
  requestsOf,
  shortcomingOf,
} from '../../runtime/tls/renewal.ts';
import type { LimitReached } from './limits.ts';
import type { AcmeIssuer } from './ports.ts';

/** An order that comes no further is given up after so long. */
export const ORDER_PROGRESS_MS_MAX = 60 * 60_000;
/** The same while the CA cannot be asked, and there is no other. */
export const ORDER_AWAY_MS_MAX = 24 * 60 * 60_000;
/** Failures of a Certificate after which the next of its Issuers is asked. */
export const FAILURES_PER_ISSUER = 3;
/** While another is at the same: looked at again after this, and a random part of it again. */
export const QUEUE_MS = 2_000;
/** The longest that a CA, or we, put anything off; what is further away is a clock that went back. */
export const WAIT_MS_MAX = 8 * 86_400_000;

/** Why an order rests whose certificate has not begun by the clock of dom. */
export const NOT_BEGUN = 'notBegun';

export interface IssuerFacts {
  readonly issuer: AcmeIssuer;
  /** Undefined: none yet. */
  readonly account: AcmeAccountRecord | undefined;
}

export interface OrderFacts {
  readonly certificate: Certificate;
  /** The declared Issuer and its fallbacks, as far as they are there and ACME; in order. */
  readonly issuers: readonly IssuerFacts[];
  readonly material: MaterialRecord | undefined;
  readonly order: AcmeOrderRecord | undefined;
  readonly issuance: IssuanceRecord | undefined;
  /** Another Certificate's order for just these names is under way. */
  readonly hasTwin: boolean;
  /** The limit of the CA that an order would break now; looked at only where an order is due. */
  readonly limitOf?: (each: IssuerFacts) => LimitReached | undefined;
}

export type OrderPlan =
  /** Nothing to order; look again after that time. */
  | { readonly kind: 'none'; readonly recheckInMs: number }
  | { readonly kind: 'wait'; readonly why: string; readonly recheckInMs: number }
  | { readonly kind: 'start'; readonly with: IssuerFacts }
  /** All who could be asked are at a limit; that which ends first. */
  | { readonly kind: 'hold'; readonly limit: LimitReached }
  | {
      readonly kind: 'step';
      readonly step: AcmeOrderRecord['phase'];
      readonly with: IssuerFacts;
    }
  /** What it is for is not wanted any more, or not in this way. */
  | { readonly kind: 'abandon'; readonly why: string }
  /** It came no further within the bound. */
  | { readonly kind: 'expire'; readonly why: string };

/** Pure: the next step towards the certificate that is declared, one at a time. */
export function planOrder(facts: OrderFacts, nowMs: number): OrderPlan {
  return facts.order === undefined ? planStart(facts, nowMs) : planStep(facts, facts.order, nowMs);
}

function planStart(facts: OrderFacts, nowMs: number): OrderPlan {
  const { certificate, issuers, material, issuance } = facts;
  if (issuers.length === 0 || isCeased(certificate, material))
    return { kind: 'none', recheckInMs: Infinity };
  const dueInMs = orderInMs(facts, nowMs);
  if (dueInMs > 0) return { kind: 'none', recheckInMs: dueInMs };
  const heldMs = heldInMs(certificate, issuance, nowMs);
  const waiting = { kind: 'wait', why: 'the last try failed', recheckInMs: heldMs } as const;
  // A limit is one CA's affair: another one may be asked meanwhile.
  const isLimited = issuance?.failure?.reason === 'rateLimited' && issuers.length > 1;
  if (heldMs > 0 && !isLimited) return waiting;
  const ready = issuers.filter(isReady);
  const free = ready.filter((each) => accountHeldMs(each, nowMs) === 0);
  const turn = Math.floor((issuance?.failures ?? 0) / FAILURES_PER_ISSUER) % issuers.length;
  const inTurn = [...issuers.slice(turn), ...issuers.slice(0, turn)];
  const usable = inTurn.filter((each) => free.includes(each));
  if (usable.length === 0) return heldMs > 0 ? waiting : awaitAccount(ready, nowMs);
  const refusedBy = heldMs > 0 ? issuance?.tries.at(-1)?.issuer : undefined;
  const found = firstUnlimited(
    usable.filter(({ issuer }) => issuer.metadata.name !== refusedBy),
    facts.limitOf,
  );
  if (found === undefined || 'inMs' in found)
    return heldMs > 0 || found === undefined ? waiting : { kind: 'hold', limit: found };
  if (facts.hasTwin)
    return {
      kind: 'wait',
      why: 'another Certificate is ordered for the same names',
      recheckInMs: QUEUE_MS,
    };
  return { kind: 'start', with: found };
}

/** Zero: now. */
function orderInMs(
  { certificate, issuers, material, issuance }: OrderFacts,
  nowMs: number,
): number {
  const known = issuers.map(({ issuer }) => issuer);
  if (material === undefined || shortcomingOf(certificate, material, known) !== undefined) return 0;
  const renewal = { spec: certificate.spec, material, renewal: issuance?.renewal };
  return Math.max(0, renewalMs(renewal, nowMs) - nowMs);
}

/** How long the last failure holds the next try up. */
function heldInMs(
  certificate: Certificate,
  issuance: IssuanceRecord | undefined,
  nowMs: number,
): number {
  const failure = issuance?.failure;
  if (issuance === undefined || failure === undefined) return 0;
  const isMended =
    issuance.generation !== certificate.metadata.generation ||
    issuance.renewRequest !== requestsOf(certificate).renew;
  // Whatever a person changes, the CA counts on.
  return isMended && failure.reason !== 'rateLimited' ? 0 : leftMs(failure, nowMs);
}

function planStep(facts: OrderFacts, order: AcmeOrderRecord, nowMs: number): OrderPlan {
  const { certificate, issuers } = facts;
  const asked = issuers.find(({ issuer }) => issuer.metadata.uid === order.issuerUid);
  const why = whyAbandoned(certificate, order, asked);
  if (asked === undefined || why !== undefined)
    return { kind: 'abandon', why: why ?? 'its Issuer is not asked any more' };
  if (isRefused(facts, order, nowMs))
    return { kind: 'abandon', why: 'the CA takes no more orders for now, and another is asked' };
  const stillMs = Math.abs(nowMs - order.progressMs);
  if (stillMs > patienceMs(order, asked, issuers.length))
    return {
      kind: 'expire',
      why: `it came no further within ${formatDuration(stillMs)} while ${order.phase}`,
    };
  const heldMs = Math.max(accountHeldMs(asked, nowMs), leftMs(holdOf(order), nowMs));
  if (heldMs > 0)
    return { kind: 'wait', why: 'the CA wants to be left alone', recheckInMs: heldMs };
  return { kind: 'step', step: order.phase, with: asked };
}

/**
 * The CA took no order, for a limit of all that the account asks for, and another CA can be asked
 * meanwhile. One that it has taken stays good, and waits.
 */
function isRefused(
  { issuers, limitOf }: OrderFacts,
  order: AcmeOrderRecord,
  nowMs: number,
): boolean {
  if (order.phase !== 'placing' || order.trouble?.reason !== 'rateLimited') return false;
  const held = issuers.find(({ issuer }) => issuer.metadata.uid === order.issuerUid);
  if (held === undefined || accountHeldMs(held, nowMs) === 0) return false;
  return issuers.some(
    (each) => isReady(each) && accountHeldMs(each, nowMs) === 0 && limitOf?.(each) === undefined,
  );
}

function holdOf({
  notBeforeMs: nextTryMs,
  progressMs,
  heldSinceMs: sinceMs = progressMs,
}: AcmeOrderRecord): Pick<IssuanceFailure, 'nextTryMs' | 'sinceMs'> | undefined {
  return nextTryMs === undefined ? undefined : { nextTryMs, sinceMs };
}

/**
 * While the CA is away its orders stay good; only who has another CA to ask need not wait. What is
 * there and has not begun by dom's clock is kept when that is set right, however far: no other CA
 * would have anything better.
 */
function patienceMs(
  { troubles, trouble }: AcmeOrderRecord,
  { account }: IssuerFacts,
  issuers: number,
): number {
  const isAway = troubles !== undefined || account?.failure !== undefined;
  const isThere = trouble?.reason === NOT_BEGUN;
  return isThere || (isAway && issuers === 1) ? ORDER_AWAY_MS_MAX : ORDER_PROGRESS_MS_MAX;
}

function whyAbandoned(
  { spec }: Certificate,
  order: AcmeOrderRecord,
  asked: IssuerFacts | undefined,
): string | undefined {
  if (!areSameNames(order.names, spec.names)) return 'other names are declared now';
  if (order.keyType !== spec.keyType) return 'another kind of key is declared now';
  if (asked === undefined) return undefined;
  const { account, issuer } = asked;
  if (account?.directory !== issuer.spec.acme.directory || account.url !== order.accountUrl)
    return 'the account that it was placed with is not in use any more';
  return undefined;
}

/** Its account can be used, now or once the CA can be asked again. */
function isReady({ issuer, account }: IssuerFacts): boolean {
  const { directory, termsOfServiceAgreed } = issuer.spec.acme;
  return (
    termsOfServiceAgreed &&
    account?.url !== undefined &&
    account.directory === directory &&
    !isRolling(issuer, account)
  );
}

/** What is proven with the old key would be asked for with the new one (RFC 8555 §8.1). */
export function isRolling({ metadata }: AcmeIssuer, account: AcmeAccountRecord): boolean {
  const request = requestedRollover(metadata.annotations);
  return account.nextSealedKey !== undefined || (request ?? account.rollover) !== account.rollover;
}

export function requestedRollover(
  annotations: Readonly<Record<string, string>> = {},
): string | undefined {
  return annotations[ROLLOVER_REQUESTED];
}

/** The first that an order may be placed with; else the limit that ends first; none for nobody. */
function firstUnlimited(
  usable: readonly IssuerFacts[],
  limitOf: OrderFacts['limitOf'],
): IssuerFacts | LimitReached | undefined {
  let soonest: LimitReached | undefined;
  for (const each of usable) {
    const limit = limitOf?.(each);
    if (limit === undefined) return each;
    if (soonest === undefined || limit.inMs < soonest.inMs) soonest = limit;
  }
  return soonest;
}

function awaitAccount(ready: readonly IssuerFacts[], nowMs: number): OrderPlan {
  const left = ready.map((each) => accountHeldMs(each, nowMs));
  // Changes of accounts and Issuers call for it.
  const recheckInMs = left.length === 0 ? Infinity : Math.min(...left);
  return { kind: 'wait', why: 'no account can be used now', recheckInMs };
}

/**
 * Pure: how long nobody asks the CA with an account. An Issuer that was changed is tried at once,
 * but whatever a person changes, the CA counts on.
 */
export function accountHeldMs(
  { issuer, account }: Pick<IssuerFacts, 'issuer' | 'account'>,
  nowMs: number,
): number {
  const isOther = account?.failedGeneration !== issuer.metadata.generation;
  const isLimited = account?.failure?.reason === 'rateLimited';
  return isOther && !isLimited ? 0 : leftMs(account?.failure, nowMs);
}

/** Pure: how long something is put off; nothing when a clock went back meanwhile. */
export function leftMs(
  failure: Pick<IssuanceFailure, 'nextTryMs' | 'sinceMs'> | undefined,
  nowMs: number,
): number {
  if (failure?.sinceMs !== undefined && failure.sinceMs > nowMs + AHEAD_MS_MAX) return 0;
  const left = (failure?.nextTryMs ?? nowMs) - nowMs;
  return left > 0 && left <= WAIT_MS_MAX ? left : 0;
}
