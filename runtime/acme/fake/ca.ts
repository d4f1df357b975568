import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import type { AcmeOrder } from '../acme.ts';
import { exactSet } from './counts.ts';
import { orderStatus } from './orders.ts';
import type { ValidateProof } from './proof.ts';
import { createRequests } from './requests.ts';
import {
  emptyState,
  type FakeAcmeAccount,
  type FakeAcmeCertificate,
  type FakeAcmeOrder,
  type FakeAcmeRequests,
  type FakeAcmeSettings,
  type FakeAcmeState,
  type FakeAcmeStep,
} from './state.ts';
import type { FakeAcmeFault, FakeAcmeFlaw, FakeAcmeWeather } from './weather.ts';
import { drawOne, throughWeather } from './weather.ts';

/** A CA without cryptography and network, with all that it was asked, for tests to look at. */
export interface FakeAcmeCa {
  /** URL. */
  readonly directory: string;
  readonly requests: FakeAcmeRequests;
  readonly settings: FakeAcmeSettings;
  set(settings: Partial<FakeAcmeSettings>): void;
  readonly weather: FakeAcmeWeather;
  setWeather(weather: FakeAcmeWeather): void;
  /** The next request of this step meets the fault; several are met in turn. */
  failNext(step: FakeAcmeStep, fault: FakeAcmeFault): void;
  /** The next certificate has the flaw. */
  spoilNext(flaw: FakeAcmeFlaw): void;
  /** All that ever were, in the order in which they came. */
  readonly accounts: readonly FakeAcmeAccount[];
  readonly orders: readonly (FakeAcmeOrder & { readonly now: AcmeOrder['status'] })[];
  readonly certificates: readonly FakeAcmeCertificate[];
  /** Orders for exactly these names. */
  ordersOf(names: readonly string[]): FakeAcmeCa['orders'];
  /** How often each step was asked for, also when it failed. */
  readonly asked: Readonly<Partial<Record<FakeAcmeStep, number>>>;
  /** The CA says of a certificate that it be renewed then, e.g. now. */
  suggestRenewal(
    serialNumber: string,
    window: { readonly startMs: number; readonly endMs: number; readonly explanationUrl?: string },
  ): void;
  /** The CA revokes by itself. */
  revoke(serialNumber: string): void;
  /** Proofs that it had are none any more. */
  revokeAuthorizations(): void;
  /** It lost them: their keys are unknown, their orders unreachable. */
  forgetAccounts(): void;
  /** RFC 8555 §7.3.6: it deactivates them, and takes nothing from them any more. */
  closeAccounts(): void;
  /** Ends what it is still about to look at. */
  close(): void;
}

/** `random` and `clock` are the CA's own. */
export function createFakeAcmeCa(ports: {
  readonly clock: Clock;
  readonly random: Random;
  readonly validate: ValidateProof;
  /** Left out: `https://ca.test/directory`. */
  readonly directory?: string;
  readonly settings?: Partial<FakeAcmeSettings>;
}): FakeAcmeCa {
  const { clock, random, validate, directory = 'https://ca.test/directory', settings = {} } = ports;
  const state = emptyState({ clock, random }, { directory, settings });
  const asked: Partial<Record<FakeAcmeStep, number>> = {};
  const closing = new AbortController();
  const requests = createRequests(state, { validate, signal: closing.signal });

  async function through<Answer>(
    step: FakeAcmeStep,
    signal: AbortSignal,
    effect: () => Promise<Answer>,
  ): Promise<Answer> {
    asked[step] = (asked[step] ?? 0) + 1;
    const fault = takeFault(state, step) ?? drawOne(state.weather.faults, random);
    const request = { step, directory, signal, fault, weather: state.weather };
    const answer = await throughWeather(request, { clock, random }, effect);
    return fault === 'wrongNames' ? withWrongNames(answer) : answer;
  }

  return {
    directory,
    requests: weathered(requests, through),
    get settings() {
      return state.settings;
    },
    set(change) {
      state.settings = { ...state.settings, ...change };
    },
    get weather() {
      return state.weather;
    },
    setWeather(weather) {
      state.weather = weather;
    },
    failNext: (step, fault) => void state.nextFaults.push({ step, fault }),
    spoilNext: (flaw) => void state.nextFlaws.push(flaw),
    get accounts() {
      return [...state.accounts.values()];
    },
    get orders() {
      return ordersOf(state);
    },
    get certificates() {
      return [...state.certificates.values()];
    },
    ordersOf(names) {
      const set = exactSet(names);
      return ordersOf(state).filter((order) => exactSet(order.names) === set);
    },
    asked,
    suggestRenewal: (serialNumber, renewal) => changeCertificate(state, serialNumber, { renewal }),
    revoke: (serialNumber) => changeCertificate(state, serialNumber, { revokedMs: clock.nowMs() }),
    revokeAuthorizations() {
      for (const [url, one] of state.authorizations)
        if (one.status === 'valid') state.authorizations.set(url, { ...one, status: 'revoked' });
    },
    forgetAccounts() {
      for (const [url, account] of state.accounts)
        state.accounts.set(url, { ...account, thumbprint: '' });
    },
    closeAccounts() {
      for (const [url, account] of state.accounts)
        state.accounts.set(url, { ...account, closed: true });
    },
    close: () => closing.abort(new Error('the CA has ended')),
  };
}

function ordersOf(state: FakeAcmeState): FakeAcmeCa['orders'] {
  return [...state.orders.values()].map((order) => ({
    ...order,
    now: orderStatus(state, order).status,
  }));
}

function takeFault(state: FakeAcmeState, step: FakeAcmeStep): FakeAcmeFault | undefined {
  const index = state.nextFaults.findIndex((next) => next.step === step);
  return index < 0 ? undefined : state.nextFaults.splice(index, 1)[0]?.fault;
}

function withWrongNames<Answer>(answer: Answer): Answer {
  if (typeof answer !== 'object' || answer === null || !('names' in answer)) return answer;
  return { ...answer, names: ['wrong.example'] };
}

function changeCertificate(
  state: FakeAcmeState,
  serialNumber: string,
  change: Partial<FakeAcmeCertificate>,
): void {
  const certificate = state.certificates.get(serialNumber);
  if (certificate === undefined) throw new Error(`the CA has no certificate ${serialNumber}`);
  state.certificates.set(serialNumber, { ...certificate, ...change });
}

type Through = <Answer>(
  step: FakeAcmeStep,
  signal: AbortSignal,
  effect: () => Promise<Answer>,
) => Promise<Answer>;

function weathered(to: FakeAcmeRequests, go: Through): FakeAcmeRequests {
  return {
    directory: (server, signal) => go('directory', signal, () => to.directory(server, signal)),
    register: (server, request, signal) =>
      go('register', signal, () => to.register(server, request, signal)),
    findAccount: (server, key, signal) =>
      go('findAccount', signal, () => to.findAccount(server, key, signal)),
    updateContact: (by, contact, signal) =>
      go('updateContact', signal, () => to.updateContact(by, contact, signal)),
    changeKey: (by, key, signal) => go('changeKey', signal, () => to.changeKey(by, key, signal)),
    createOrder: (by, request, signal) =>
      go('createOrder', signal, () => to.createOrder(by, request, signal)),
    readOrder: (by, url, signal) => go('readOrder', signal, () => to.readOrder(by, url, signal)),
    listOrders: (by, signal) => go('listOrders', signal, () => to.listOrders(by, signal)),
    readAuthorization: (by, url, signal) =>
      go('readAuthorization', signal, () => to.readAuthorization(by, url, signal)),
    answerChallenge: (by, url, signal) =>
      go('answerChallenge', signal, () => to.answerChallenge(by, url, signal)),
    finalize: (by, request, signal) =>
      go('finalize', signal, () => to.finalize(by, request, signal)),
    download: (by, url, signal) => go('download', signal, () => to.download(by, url, signal)),
    revoke: (by, request, signal) => go('revoke', signal, () => to.revoke(by, request, signal)),
    renewalInfo: (server, chain, signal) =>
      go('renewalInfo', signal, () => to.renewalInfo(server, chain, signal)),
  };
}
