import type { AcmeProblem } from '../acme.ts';
import type { AcmeLimit } from '../limits.ts';
import { renewalOf } from './certificates.ts';
import { type FakeAcmeAccount, type FakeAcmeState, refuse } from './state.ts';

/** One set of names in one spelling. */
export function exactSet(names: readonly string[]): string {
  return names
    .map((name) => name.toLowerCase())
    .toSorted()
    .join(',');
}

/** A CA would ask the list of public suffixes; here every suffix has one label. */
export function registeredDomain(name: string): string {
  return name.split('.').slice(-2).join('.');
}

/**
 * Takes an order from the account's share, and looks whether its certificate could be issued: as
 * Let's Encrypt does, certificates are counted once they are there. Throws when one is over.
 */
export function countOrder(
  state: FakeAcmeState,
  account: FakeAcmeAccount,
  order: { readonly names: readonly string[]; readonly replaces?: string | undefined },
): void {
  const { limits } = state.settings;
  if (limits === undefined || isSuggestedRenewal(state, order.replaces)) return;
  const { names } = order;
  for (const name of names.map(withoutWildcard)) {
    look(state, `failed ${account.url} ${name}`, limits.failedValidations, FAILED);
    look(state, `row ${account.url} ${name}`, limits.failedInARow, FAILED);
  }
  look(state, `set ${exactSet(names)}`, limits.certificatesPerSet, SET);
  if (isKnownSet(state, names)) return;
  for (const domain of domainsOf(names))
    look(state, `domain ${domain}`, limits.certificatesPerDomain, `${DOMAIN} ${domain}`);
  const wait = state.buckets.take(`orders ${account.url}`, limits.orders);
  if (wait !== undefined) throw limited('too many new orders recently', wait);
}

export function countAccount(state: FakeAcmeState): void {
  const { limits } = state.settings;
  const wait = limits && state.buckets.take('accounts', limits.accounts);
  if (wait !== undefined) throw limited('too many registrations from this address', wait);
}

/** To be called before the certificate is kept. */
export function countCertificate(
  state: FakeAcmeState,
  order: { readonly names: readonly string[]; readonly replaces?: string | undefined },
): void {
  const { limits } = state.settings;
  if (limits === undefined || isSuggestedRenewal(state, order.replaces)) return;
  const { names } = order;
  if (!isKnownSet(state, names))
    for (const domain of domainsOf(names))
      state.buckets.take(`domain ${domain}`, limits.certificatesPerDomain);
  state.buckets.take(`set ${exactSet(names)}`, limits.certificatesPerSet);
}

export function countValidation(
  state: FakeAcmeState,
  accountUrl: string,
  name: string,
  outcome: 'proven' | 'failed',
): void {
  const { limits } = state.settings;
  const row = `row ${accountUrl} ${name}`;
  if (outcome === 'proven') state.buckets.refill(row);
  if (limits === undefined || outcome === 'proven') return;
  state.buckets.take(`failed ${accountUrl} ${name}`, limits.failedValidations);
  state.buckets.take(row, limits.failedInARow);
}

const FAILED = 'too many failed authorizations recently';
const SET = 'too many certificates already issued for this exact set of identifiers';
const DOMAIN = 'too many certificates already issued for';

function look(state: FakeAcmeState, name: string, limit: AcmeLimit, detail: string): void {
  const wait = state.buckets.waitMs(name, limit);
  if (wait !== undefined) throw limited(detail, wait);
}

function limited(detail: string, waitMs: number): AcmeProblem {
  // As a header says it: whole seconds.
  const retryAfterMs = Math.ceil(waitMs / 1000) * 1000;
  return refuse('rateLimited', detail, { status: 429, retryAfterMs });
}

/** The CA asked for it, so it counts against nothing (RFC 9773 §5). */
function isSuggestedRenewal(state: FakeAcmeState, replaces: string | undefined): boolean {
  const replaced = state.certificates.get(replaces ?? '');
  return replaced !== undefined && state.clock.nowMs() >= renewalOf(replaced).startMs;
}

/** A renewal: such a set was issued before. */
function isKnownSet(state: FakeAcmeState, names: readonly string[]): boolean {
  const set = exactSet(names);
  return [...state.certificates.values()].some((one) => exactSet(one.names) === set);
}

function domainsOf(names: readonly string[]): readonly string[] {
  return [...new Set(names.map(withoutWildcard).map(registeredDomain))].toSorted();
}

function withoutWildcard(name: string): string {
  return name.replace(/^\*\./, '');
}
