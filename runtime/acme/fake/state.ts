import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import { fakeKey } from '../../tls/fake-authority.ts';
import {
  type Acme,
  type AcmeChallenge,
  AcmeProblem,
  type AcmeProblemDocument,
  CHALLENGE_TYPES,
  type ChallengeType,
} from '../acme.ts';
import type { AcmeLimits } from '../limits.ts';
import { type Buckets, createBuckets } from './limits.ts';
import { CALM, type FakeAcmeFault, type FakeAcmeFlaw, type FakeAcmeWeather } from './weather.ts';

/** What a CA is asked; keys stay with the one who asks. */
export type FakeAcmeRequests = Omit<Acme, 'makeKey' | 'keyAuthorization'>;

export type FakeAcmeStep = keyof FakeAcmeRequests;

/** What a CA is like. All of it can change while it runs. */
export interface FakeAcmeSettings {
  /** MAC keys by key identifier; there: accounts must be bound to one of them. */
  readonly externalAccounts?: Readonly<Record<string, string>> | undefined;
  readonly caaIdentities: readonly string[];
  readonly challengeTypes: readonly ChallengeType[];
  readonly lifetimeMs: number;
  /** By name; empty: it has none. */
  readonly profiles: Readonly<Record<string, { readonly lifetimeMs: number }>>;
  /** Between leaf and root: 0 to 3. */
  readonly intermediates: number;
  /** Common names; a chain to the first is what it prefers, chains to the others are alternates. */
  readonly roots: readonly string[];
  readonly keepsOrderList: boolean;
  readonly hasRenewalInfo: boolean;
  /** What it says of when to ask for that again. */
  readonly renewalRetryAfterMs: number;
  /** How often a name that the account has proven need not be proven again: 0 to 1. */
  readonly authorizationReuse: number;
  /** An order that is open is handed out again when the same is ordered, as Let's Encrypt does. */
  readonly reusesOrders: boolean;
  /** Between being told to look and looking: at most; nothing: it looks before it answers. */
  readonly validationMsMax: number;
  /** Between `finalize` and the certificate: at most. */
  readonly finalizeMsMax: number;
  /** What is left open after this, is invalid. */
  readonly openMs: number;
  /** How long a proof counts. */
  readonly provenMs: number;
  /** What it says in `Retry-After` while work goes on; undefined: nothing. */
  readonly retryAfterMs?: number | undefined;
  /** Undefined: it counts, and refuses nothing. */
  readonly limits?: AcmeLimits | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Much like Let's Encrypt. */
export const USUAL_SETTINGS: FakeAcmeSettings = {
  caaIdentities: ['ca.test'],
  challengeTypes: CHALLENGE_TYPES,
  lifetimeMs: 90 * DAY_MS,
  profiles: {},
  intermediates: 1,
  roots: ['Fake Root X1'],
  keepsOrderList: true,
  hasRenewalInfo: true,
  renewalRetryAfterMs: DAY_MS / 4,
  authorizationReuse: 0,
  reusesOrders: false,
  validationMsMax: 0,
  finalizeMsMax: 0,
  openMs: 7 * DAY_MS,
  provenMs: 30 * DAY_MS,
};

export interface FakeAcmeAccount {
  readonly url: string;
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly externalKeyId?: string | undefined;
  /** Absent: it is in use. */
  readonly closed?: true;
}

export interface FakeAcmeOrder {
  readonly url: string;
  readonly accountUrl: string;
  /** Sorted, lower case. */
  readonly names: readonly string[];
  readonly createdMs: number;
  readonly profile?: string | undefined;
  /** Serial number of the certificate that it takes over from. */
  readonly replaces?: string | undefined;
  readonly authorizations: readonly string[];
  readonly expiresMs: number;
  /** Without what time and authorizations make of it. */
  readonly status: 'open' | 'processing' | 'invalid';
  readonly problem?: AcmeProblemDocument;
  /** From `processing` on. */
  readonly certificate?: { readonly serialNumber: string; readonly readyMs: number };
}

export interface FakeAcmeAuthorization {
  readonly url: string;
  readonly accountUrl: string;
  readonly name: string;
  readonly wildcard: boolean;
  readonly status: 'pending' | 'valid' | 'invalid' | 'revoked';
  readonly expiresMs: number;
  readonly challenges: readonly AcmeChallenge[];
}

export interface FakeAcmeCertificate {
  readonly serialNumber: string;
  readonly accountUrl: string;
  readonly orderUrl: string;
  /** As ordered; a flawed certificate may hold others. */
  readonly names: readonly string[];
  readonly flaw?: FakeAcmeFlaw | undefined;
  /** PEM, the preferred one first. */
  readonly chains: readonly string[];
  readonly issuedMs: number;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly revokedMs?: number;
  /** What it says of its renewal when that is not two thirds of its life. */
  readonly renewal?: {
    readonly startMs: number;
    readonly endMs: number;
    readonly explanationUrl?: string;
  };
}

/** What the CA keeps: everything, for ever. */
export interface FakeAcmeState {
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly buckets: Buckets;
  settings: FakeAcmeSettings;
  weather: FakeAcmeWeather;
  /** What befalls the next requests of a step, in turn. */
  readonly nextFaults: { readonly step: FakeAcmeStep; readonly fault: FakeAcmeFault }[];
  readonly nextFlaws: FakeAcmeFlaw[];
  /** Keys of the CA by common name. */
  readonly keys: Map<string, string>;
  /** By URL, in the order in which they came to be. */
  readonly accounts: Map<string, FakeAcmeAccount>;
  readonly orders: Map<string, FakeAcmeOrder>;
  readonly authorizations: Map<string, FakeAcmeAuthorization>;
  /** By serial number. */
  readonly certificates: Map<string, FakeAcmeCertificate>;
}

export function emptyState(
  ports: { readonly clock: Clock; readonly random: Random },
  options: { readonly directory: string; readonly settings?: Partial<FakeAcmeSettings> },
): FakeAcmeState {
  return {
    ...ports,
    directory: options.directory,
    buckets: createBuckets(ports.clock),
    settings: { ...USUAL_SETTINGS, ...options.settings },
    weather: CALM,
    nextFaults: [],
    nextFlaws: [],
    keys: new Map(),
    accounts: new Map(),
    orders: new Map(),
    authorizations: new Map(),
    certificates: new Map(),
  };
}

/** `https://ca.test/order/7`: counted, so that a run can be read. */
export function newUrl(state: FakeAcmeState, room: 'account' | 'order' | 'authz'): string {
  const rooms = { account: state.accounts, order: state.orders, authz: state.authorizations };
  return `${new URL(state.directory).origin}/${room}/${rooms[room].size + 1}`;
}

/** The public key that the CA signs with under a name. */
export function caKey(state: FakeAcmeState, commonName: string): string {
  const kept = state.keys.get(commonName);
  if (kept !== undefined) return kept;
  const { publicKey } = fakeKey(state.random);
  state.keys.set(commonName, publicKey);
  return publicKey;
}

/** Up to so much, drawn; nothing for nothing. */
export function drawMs(state: FakeAcmeState, msMax: number): number {
  return msMax > 0 ? Math.round(state.random.next() * msMax) : 0;
}

export function refuse(
  type: string,
  detail: string,
  more: { readonly status?: number; readonly retryAfterMs?: number } = {},
): AcmeProblem {
  const { status = 400, retryAfterMs } = more;
  return new AcmeProblem({ type, detail, status }, retryAfterMs);
}
