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
    const { failedValidations: failed, failedInARow } = limits;
    if (state.buckets.waitMs(`row ${account.url} ${name}`, failedInARow) !== undefined)
      throw refuse('rateLimited', paused(name), { status: 429 });
    const what = `too many failed authorizations (${failed.capacity}) for "${name}"`;
    look(state, `failed ${account.url} ${name}`, failed, what);
  }
  const { certificatesPerSet: perSet, certificatesPerDomain: perDomain } = limits;
  const issued = `too many certificates (${perSet.capacity}) already issued for this exact set of identifiers`;
  look(state, `set ${exactSet(names)}`, perSet, issued);
  if (isKnownSet(state, names)) return;
  for (const domain of domainsOf(names)) {
    const what = `too many certificates (${perDomain.capacity}) already issued for "${domain}"`;
    look(state, `domain ${domain}`, perDomain, what);
  }
  const wait = state.buckets.take(`orders ${account.url}`, limits.orders);
  const what = `too many new orders (${limits.orders.capacity}) from this account`;
  if (wait !== undefined) throw limited(state, what, wait);
}

export function countAccount(state: FakeAcmeState): void {
  const { limits } = state.settings;
  const wait = limits && state.buckets.take('accounts', limits.accounts);
  const what = `too many new registrations (${limits?.accounts.capacity}) from this IP address`;
  if (wait !== undefined) throw limited(state, what, wait);
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

function look(state: FakeAcmeState, name: string, limit: AcmeLimit, what: string): void {
  const wait = state.buckets.waitMs(name, limit);
  if (wait !== undefined) throw limited(state, what, wait);
}

/** In the words of Let's Encrypt's Boulder (`ratelimits/limiter.go`, `wfe2/wfe.go`). */
function limited({ clock }: FakeAcmeState, what: string, waitMs: number): AcmeProblem {
  // As a header says it: whole seconds.
  const retryAfterMs = Math.ceil(waitMs / 1000) * 1000;
  const time = new Date(clock.nowMs() + retryAfterMs).toISOString();
  return refuse('rateLimited', `${what}, retry after ${time}`, { status: 429, retryAfterMs });
}

/** It does not say for how long: until somebody has asked for it there. */
function paused(name: string): string {
  return `Your account is temporarily prevented from requesting certificates for ${name} and possibly others. Please visit: https://portal.ca.test/unpause`;
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
