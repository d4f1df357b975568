import type { AcmeAuthorization, AcmeOrder, AcmeProblemDocument, ChallengeType } from '../acme.ts';
import { ACME_NAMES_MAX } from '../limits.ts';
import { exactSet } from './counts.ts';
import {
  type FakeAcmeAccount,
  type FakeAcmeAuthorization,
  type FakeAcmeOrder,
  type FakeAcmeState,
  newUrl,
  refuse,
} from './state.ts';

/** Places an order, whatever the limits say. */
export function placeOrder(
  state: FakeAcmeState,
  account: FakeAcmeAccount,
  request: {
    readonly names: readonly string[];
    readonly profile?: string | undefined;
    readonly replaces?: string | undefined;
  },
): FakeAcmeOrder {
  const { settings, clock } = state;
  const names = request.names.toSorted();
  const open = settings.reusesOrders
    ? openOrder(state, account, names, request.profile)
    : undefined;
  if (open !== undefined) return open;
  const order: FakeAcmeOrder = {
    url: newUrl(state, 'order'),
    accountUrl: account.url,
    names,
    createdMs: clock.nowMs(),
    profile: request.profile,
    replaces: request.replaces,
    authorizations: names.map((name) => authorizationFor(state, account, name).url),
    expiresMs: clock.nowMs() + settings.openMs,
    status: 'open',
  };
  state.orders.set(order.url, order);
  return order;
}

/** Why these names cannot be ordered; undefined: they can. */
export function namesProblem(names: readonly string[]): string | undefined {
  if (names.length === 0) return 'no identifiers';
  if (names.length > ACME_NAMES_MAX) return `more than ${ACME_NAMES_MAX} identifiers`;
  if (new Set(names).size < names.length) return 'an identifier twice';
  const wrong = names.find((name) => !/^(\*\.)?([a-z0-9_-]+\.)+[a-z0-9-]+$/.test(name));
  if (wrong !== undefined) return `${wrong} is no domain name`;
  // Let's Encrypt: what a wildcard covers cannot stand beside it.
  const covered = names.find(
    (name) => names.includes(name.replace(/^[^.*]+\./, '*.')) && !name.startsWith('*.'),
  );
  return covered === undefined ? undefined : `${covered} is redundant with a wildcard`;
}

/** What the order is by now: its own state, time, and what became of its authorizations. */
export function orderAnswer(state: FakeAcmeState, order: FakeAcmeOrder): AcmeOrder {
  const { retryAfterMs } = state.settings;
  const { status, problem } = orderStatus(state, order);
  const { url, names, expiresMs, certificate } = order;
  // In no order that could be relied on, as at Pebble.
  const authorizations =
    status === 'pending' ? order.authorizations : order.authorizations.toReversed();
  return {
    ...{ url, status, names, authorizations, expiresMs, finalizeUrl: `${url}/finalize` },
    ...(status === 'valid' && certificate !== undefined
      ? { certificateUrl: `${url}/certificate` }
      : {}),
    ...(problem === undefined ? {} : { problem }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/**
 * Like Let's Encrypt, an order whose authorization failed is `invalid` without a problem of its
 * own: the challenge has it.
 */
export function orderStatus(
  state: FakeAcmeState,
  order: FakeAcmeOrder,
): { readonly status: AcmeOrder['status']; readonly problem?: AcmeProblemDocument } {
  if (order.status === 'invalid')
    return {
      status: 'invalid',
      ...(order.problem === undefined ? {} : { problem: order.problem }),
    };
  const nowMs = state.clock.nowMs();
  if (order.certificate !== undefined)
    return { status: nowMs < order.certificate.readyMs ? 'processing' : 'valid' };
  if (nowMs >= order.expiresMs) return { status: 'invalid' };
  const states = order.authorizations.map((url) => authorizationStatus(state, url));
  if (states.every((one) => one === 'valid')) return { status: 'ready' };
  return {
    status: states.every((one) => one === 'valid' || one === 'pending') ? 'pending' : 'invalid',
  };
}

export function authorizationAnswer(
  state: FakeAcmeState,
  authorization: FakeAcmeAuthorization,
): AcmeAuthorization {
  const { url, name, wildcard, expiresMs, challenges } = authorization;
  const { retryAfterMs } = state.settings;
  const status = authorizationStatus(state, url);
  return {
    ...{ url, name, wildcard, status, expiresMs, challenges },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Notes what the CA saw. */
export function concludeChallenge(
  state: FakeAcmeState,
  url: string,
  challengeUrl: string,
  problem: AcmeProblemDocument | undefined,
): void {
  const authorization = state.authorizations.get(url);
  if (authorization?.status !== 'pending') return;
  const status = problem === undefined ? 'valid' : 'invalid';
  const challenges = authorization.challenges
    // Those that were not chosen are gone (RFC 8555 §7.1.4), as at Let's Encrypt.
    .filter((challenge) => challenge.url === challengeUrl)
    .map(
      (challenge) =>
        ({ ...challenge, status, ...(problem === undefined ? {} : { problem }) }) as const,
    );
  const nowMs = state.clock.nowMs();
  const expiresMs = status === 'valid' ? nowMs + state.settings.provenMs : authorization.expiresMs;
  state.authorizations.set(url, { ...authorization, status, challenges, expiresMs });
}

function authorizationStatus(state: FakeAcmeState, url: string): AcmeAuthorization['status'] {
  const authorization = state.authorizations.get(url);
  if (authorization === undefined) return 'invalid';
  const { status, expiresMs } = authorization;
  if (state.clock.nowMs() < expiresMs) return status;
  if (status === 'valid') return 'expired';
  return status === 'pending' ? 'invalid' : status;
}

function openOrder(
  state: FakeAcmeState,
  account: FakeAcmeAccount,
  names: readonly string[],
  profile: string | undefined,
): FakeAcmeOrder | undefined {
  return [...state.orders.values()].find(
    (order) =>
      order.accountUrl === account.url &&
      order.profile === profile &&
      exactSet(order.names) === exactSet(names) &&
      ['pending', 'ready'].includes(orderStatus(state, order).status),
  );
}

function authorizationFor(
  state: FakeAcmeState,
  account: FakeAcmeAccount,
  ordered: string,
): FakeAcmeAuthorization {
  const { settings, random, clock } = state;
  const wildcard = ordered.startsWith('*.');
  const name = wildcard ? ordered.slice(2) : ordered;
  const mayReuse = settings.authorizationReuse > 0 && random.next() < settings.authorizationReuse;
  const proven = mayReuse
    ? [...state.authorizations.values()].find(
        (one) =>
          one.accountUrl === account.url &&
          one.name === name &&
          one.wildcard === wildcard &&
          authorizationStatus(state, one.url) === 'valid',
      )
    : undefined;
  if (proven !== undefined) return proven;
  const url = newUrl(state, 'authz');
  const types: readonly ChallengeType[] = settings.challengeTypes.filter(
    // Only DNS proves a wildcard (RFC 8555 §7.1.3, CA/B Forum BR §3.2.2.4).
    (type) => !wildcard || type === 'dns-01',
  );
  const challenges = types.map((type) => ({
    type,
    url: `${url}/${type}`,
    token: Buffer.from(random.bytes(16)).toString('base64url'),
    status: 'pending' as const,
  }));
  const authorization: FakeAcmeAuthorization = {
    ...{ url, accountUrl: account.url, name, wildcard, challenges, status: 'pending' },
    expiresMs: clock.nowMs() + settings.openMs,
  };
  state.authorizations.set(url, authorization);
  if (types.length === 0)
    throw refuse('rejectedIdentifier', `no challenge of this CA proves ${ordered}`);
  return authorization;
}
