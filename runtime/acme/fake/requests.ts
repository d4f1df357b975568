import { fakePublicKey } from '../../tls/fake-authority.ts';
import { parseFakeChain } from '../../tls/fake-certificate-reader.ts';
import type { AcmeAccount } from '../acme.ts';
import { findCertificate, issue, renewalOf } from './certificates.ts';
import { countAccount, countCertificate, countOrder, exactSet } from './counts.ts';
import {
  authorizationAnswer,
  namesProblem,
  orderAnswer,
  orderStatus,
  placeOrder,
} from './orders.ts';
import { fakeThumbprint, type ValidateProof } from './proof.ts';
import {
  type FakeAcmeAccount,
  type FakeAcmeOrder,
  type FakeAcmeRequests,
  type FakeAcmeState,
  newUrl,
  refuse,
} from './state.ts';
import { lookAt } from './validation.ts';

const ORDERS_LISTED_MAX = 1000;

/** What the CA does when it is asked, in fair weather. */
export function createRequests(
  state: FakeAcmeState,
  ports: { readonly validate: ValidateProof; readonly signal: AbortSignal },
): FakeAcmeRequests {
  return {
    async directory() {
      const { settings } = state;
      const { origin } = new URL(state.directory);
      const profiles = Object.keys(settings.profiles).map((name) => [name, `${origin}/${name}`]);
      return {
        termsOfService: `${origin}/terms`,
        website: origin,
        caaIdentities: settings.caaIdentities,
        externalAccountRequired: settings.externalAccounts !== undefined,
        profiles: Object.fromEntries(profiles) as Record<string, string>,
        hasRenewalInfo: settings.hasRenewalInfo,
      };
    },
    register: async (_, request) => register(state, request),
    findAccount: async (_, keyPem) => inUse(accountOf(state, keyPem))?.url,
    async updateContact(by, contact) {
      const account = authenticate(state, by);
      state.accounts.set(account.url, { ...account, contact });
    },
    changeKey: async (by, newKeyPem) => changeKey(state, by, newKeyPem),
    createOrder: async (by, request) => orderAnswer(state, order(state, by, request)),
    readOrder: async (by, url) => orderAnswer(state, ownOrder(state, by, url)),
    async listOrders(by) {
      const account = authenticate(state, by);
      if (!state.settings.keepsOrderList) return undefined;
      return (
        [...state.orders.values()]
          .filter((one) => one.accountUrl === account.url)
          // RFC 8555 §7.1.2.1: those that are invalid should not be there.
          .filter((one) => orderStatus(state, one).status !== 'invalid')
          .map((one) => one.url)
          .slice(-ORDERS_LISTED_MAX)
      );
    },
    async readAuthorization(by, url) {
      const account = authenticate(state, by);
      const found = state.authorizations.get(url);
      if (found?.accountUrl !== account.url) throw notFound('authorization', url);
      return authorizationAnswer(state, found);
    },
    async answerChallenge(by, url) {
      const account = authenticate(state, by);
      await lookAt(state, { account, url, keyPem: by.keyPem }, ports);
    },
    finalize: async (by, request) => finalize(state, by, request),
    async download(by, certificateUrl) {
      const found = ownOrder(state, by, certificateUrl.replace(/\/certificate$/, ''));
      const certificate = state.certificates.get(found.certificate?.serialNumber ?? '');
      if (certificate === undefined || orderStatus(state, found).status !== 'valid')
        throw notFound('certificate', certificateUrl);
      return certificate.chains;
    },
    async revoke(by, { chainPem, keyPem }) {
      const account = keyPem === undefined ? authenticate(state, by) : undefined;
      const found = findCertificate(state, chainPem);
      if (found === undefined) throw notFound('certificate', 'to be revoked');
      if (account !== undefined && found.accountUrl !== account.url)
        throw refuse('unauthorized', 'the certificate is of another account', { status: 403 });
      if (keyPem !== undefined && parseFakeChain(chainPem)[0].publicKey !== fakePublicKey(keyPem))
        throw refuse('unauthorized', 'the key is not that of the certificate', { status: 403 });
      const revokedMs = found.revokedMs ?? state.clock.nowMs();
      state.certificates.set(found.serialNumber, { ...found, revokedMs });
    },
    async renewalInfo(_, chainPem) {
      const found = findCertificate(state, chainPem);
      if (!state.settings.hasRenewalInfo || found === undefined) return undefined;
      return { ...renewalOf(found), retryAfterMs: state.settings.renewalRetryAfterMs };
    },
  };
}

function register(
  state: FakeAcmeState,
  request: Parameters<FakeAcmeRequests['register']>[1],
): string {
  const existing = inUse(accountOf(state, request.keyPem));
  if (existing !== undefined) return existing.url;
  const { externalAccounts } = state.settings;
  const bound = request.externalAccount;
  if (externalAccounts !== undefined && bound === undefined)
    throw refuse('externalAccountRequired', 'new accounts must be bound to an external one');
  if (externalAccounts !== undefined && externalAccounts[bound?.keyId ?? ''] !== bound?.macKey)
    throw refuse('unauthorized', 'the external account is unknown, or its MAC is wrong', {
      status: 403,
    });
  const wrong = request.contact.find((contact) => !/^mailto:[^@\s]+@[^@\s]+$/.test(contact));
  if (wrong !== undefined) throw refuse('invalidContact', `${wrong} is no mailto: URL`);
  countAccount(state);
  const account: FakeAcmeAccount = {
    url: newUrl(state, 'account'),
    thumbprint: fakeThumbprint(request.keyPem),
    contact: request.contact,
    externalKeyId: bound?.keyId,
  };
  state.accounts.set(account.url, account);
  return account.url;
}

function changeKey(state: FakeAcmeState, by: AcmeAccount, newKeyPem: string): void {
  const account = authenticate(state, by);
  // RFC 8555 §7.3.5: 409 when the key is in use.
  if (accountOf(state, newKeyPem) !== undefined)
    throw refuse('malformed', 'the new key is of an account already', { status: 409 });
  state.accounts.set(account.url, { ...account, thumbprint: fakeThumbprint(newKeyPem) });
}

function order(
  state: FakeAcmeState,
  by: AcmeAccount,
  request: Parameters<FakeAcmeRequests['createOrder']>[1],
): FakeAcmeOrder {
  const account = authenticate(state, by);
  const { profile, replacesPem } = request;
  const names = request.names.map((name) => name.toLowerCase());
  const problem = namesProblem(names);
  if (problem !== undefined) throw refuse('malformed', problem);
  if (profile !== undefined && state.settings.profiles[profile] === undefined)
    throw refuse('invalidProfile', `there is no profile ${profile}`);
  const replaces =
    replacesPem === undefined ? undefined : replaced(state, account, { names, replacesPem });
  countOrder(state, account, { names, replaces });
  return placeOrder(state, account, { names, profile, replaces });
}

/** RFC 9773 §5. */
function replaced(
  state: FakeAcmeState,
  account: FakeAcmeAccount,
  request: { readonly names: readonly string[]; readonly replacesPem: string },
): string {
  const found = findCertificate(state, request.replacesPem);
  if (found === undefined) throw notFound('certificate', 'to be replaced');
  if (found.accountUrl !== account.url)
    throw refuse('unauthorized', 'the certificate to be replaced is of another account', {
      status: 403,
    });
  if (!found.names.some((name) => request.names.includes(name)))
    throw refuse('malformed', 'the certificate to be replaced has none of the names');
  const { serialNumber } = found;
  const isReplaced = [...state.orders.values()].some(
    (one) => one.replaces === serialNumber && orderStatus(state, one).status !== 'invalid',
  );
  if (isReplaced && !state.settings.reusesOrders)
    throw refuse('alreadyReplaced', 'another order replaces the certificate', { status: 409 });
  return serialNumber;
}

function finalize(
  state: FakeAcmeState,
  by: AcmeAccount,
  request: Parameters<FakeAcmeRequests['finalize']>[1],
): ReturnType<typeof orderAnswer> {
  const found = ownOrder(state, by, request.finalizeUrl.replace(/\/finalize$/, ''));
  const { status } = orderStatus(state, found);
  // RFC 8555 §7.4: also when it is valid already.
  if (status !== 'ready') throw refuse('orderNotReady', `the order is ${status}`, { status: 403 });
  if (exactSet(request.names) !== exactSet(found.names))
    throw refuse('badCSR', 'the request is not for the names of the order');
  // RFC 8555 §11.1.
  if (fakeThumbprint(request.keyPem) === fakeThumbprint(by.keyPem))
    throw refuse('badCSR', "the certificate's key must not be the account's");
  countCertificate(state, found);
  const { serialNumber, issuedMs: readyMs } = issue(state, found, request.keyPem);
  const issuing: FakeAcmeOrder = {
    ...found,
    status: 'processing',
    certificate: { serialNumber, readyMs },
  };
  state.orders.set(found.url, issuing);
  return orderAnswer(state, issuing);
}

function accountOf(state: FakeAcmeState, keyPem: string): FakeAcmeAccount | undefined {
  const thumbprint = fakeThumbprint(keyPem);
  return [...state.accounts.values()].find((one) => one.thumbprint === thumbprint);
}

function authenticate(state: FakeAcmeState, { url, keyPem }: AcmeAccount): FakeAcmeAccount {
  const account = state.accounts.get(url);
  if (account === undefined || account.thumbprint === '')
    throw refuse('accountDoesNotExist', `there is no account ${url}`);
  if (account.thumbprint !== fakeThumbprint(keyPem))
    throw refuse('unauthorized', 'the key is not that of the account', { status: 403 });
  inUse(account);
  return account;
}

/** The same; refuses one that is closed (RFC 8555 §7.3.6). */
function inUse(account: FakeAcmeAccount | undefined): FakeAcmeAccount | undefined {
  if (account?.closed === true)
    throw refuse('unauthorized', `the account ${account.url} is deactivated`, { status: 401 });
  return account;
}

function ownOrder(state: FakeAcmeState, by: AcmeAccount, url: string): FakeAcmeOrder {
  const account = authenticate(state, by);
  const found = state.orders.get(url);
  if (found?.accountUrl !== account.url) throw notFound('order', url);
  return found;
}

function notFound(what: string, url: string): Error {
  return refuse('malformed', `there is no ${what} ${url}`, { status: 404 });
}
