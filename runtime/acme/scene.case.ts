import { createHash } from 'node:crypto';
import {
  type Acme,
  type AcmeAccount,
  type AcmeAuthorization,
  type AcmeOrder,
  AcmeProblem,
  type AcmeServer,
  type CertificateReader,
  type ChallengeType,
  type ExternalAccount,
} from './acme.ts';

/** A CA for one case. */
export interface AcmeScene {
  readonly acme: Acme;
  readonly reader: CertificateReader;
  readonly server: AcmeServer;
  /** Where nobody answers. */
  readonly nowhere: AcmeServer;
  /** There when accounts must be bound to it. */
  readonly externalAccount?: ExternalAccount | undefined;
  /** Common names of the roots: the preferred one, then those of alternates. */
  readonly roots: readonly string[];
  /** Puts up what the CA will look for; it sees nothing else. */
  prove(proof: {
    readonly type: ChallengeType;
    readonly name: string;
    readonly token: string;
    readonly keyAuthorization: string;
  }): Promise<void>;
  /** The account is deactivated (RFC 8555 §7.3.6). */
  deactivate(account: AcmeAccount): Promise<void>;
  /** Lets some time pass, where time does not by itself. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

/** What the CA of a case is to be like. */
export interface AcmeSceneOptions {
  readonly externalAccount?: 'required';
  /** Left out: 1. */
  readonly intermediates?: number;
  /** Roots besides the preferred one; left out: 0. */
  readonly alternates?: number;
  /** How often names need not be proven again; left out: never. */
  readonly authorizationReuse?: 'always';
  /** The CA takes a while to look. */
  readonly looks?: 'late';
  readonly lifetimeMs?: number;
}

export interface AcmeUnderTest {
  readonly open: (options: AcmeSceneOptions) => Promise<AcmeScene>;
  /** What this CA cannot do, and why: instead of its cases there is one that shows so. */
  readonly lacks: Readonly<Partial<Record<AcmeAbility, string>>>;
}

/** What not every CA can do. */
export type AcmeAbility = 'renewal information' | 'profiles' | 'orders that replace' | 'CAA names';

/** Never aborted. */
export const { signal } = new AbortController();
export const CONTACT = ['mailto:ops@example.com'];
const STEPS_MAX = 2_000;

export async function newAccount(scene: AcmeScene): Promise<AcmeAccount> {
  const { acme, server, externalAccount } = scene;
  const keyPem = await acme.makeKey('ecdsa-p256');
  const url = await acme.register(server, { keyPem, contact: CONTACT, externalAccount }, signal);
  return { server, url, keyPem };
}

/** Puts the proof up and tells the CA to look. */
export async function proveName(
  scene: AcmeScene,
  account: AcmeAccount,
  authorization: AcmeAuthorization,
  type: ChallengeType,
): Promise<void> {
  const challenge = authorization.challenges.find((one) => one.type === type);
  if (challenge === undefined) throw new Error(`${authorization.name} has no ${type}`);
  const { token, url } = challenge;
  const keyAuthorization = scene.acme.keyAuthorization(token, account.keyPem);
  await scene.prove({ type, name: authorization.name, token, keyAuthorization });
  await scene.acme.answerChallenge(account, url, signal);
}

/** An order of which all names are proven. */
export async function readyOrder(
  scene: AcmeScene,
  account: AcmeAccount,
  request: { readonly names: readonly string[]; readonly type?: ChallengeType } & Pick<
    Parameters<Acme['createOrder']>[1],
    'profile' | 'replacesPem'
  >,
): Promise<AcmeOrder> {
  const { type = 'dns-01', ...ordered } = request;
  const order = await scene.acme.createOrder(account, ordered, signal);
  // One after the other, for two proofs of one name may have one place.
  for (const url of order.authorizations) {
    const authorization = await scene.acme.readAuthorization(account, url, signal);
    if (authorization.status === 'valid') continue;
    await proveName(scene, account, authorization, type);
    await settledAuthorization(scene, account, url);
  }
  return await scene.acme.readOrder(account, order.url, signal);
}

/** The authorization once the CA has looked. */
export async function settledAuthorization(
  scene: AcmeScene,
  account: AcmeAccount,
  url: string,
): Promise<AcmeAuthorization> {
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    const authorization = await scene.acme.readAuthorization(account, url, signal);
    if (authorization.status !== 'pending') return authorization;
    await scene.pass();
  }
  throw new Error(`the CA never looked at ${url}`);
}

/** Finalizes and downloads: the chains, and the key that they are for. */
export async function finish(
  scene: AcmeScene,
  account: AcmeAccount,
  order: AcmeOrder,
  keyType: 'ecdsa-p256' | 'rsa-2048' = 'ecdsa-p256',
): Promise<{
  readonly chains: readonly string[];
  readonly keyPem: string;
  readonly chain: string;
}> {
  const { acme } = scene;
  const { url: orderUrl, finalizeUrl, names } = order;
  const keyPem = await acme.makeKey(keyType);
  await acme.finalize(account, { orderUrl, finalizeUrl, names, keyPem }, signal);
  const { certificateUrl = '' } = await issuedOrder(scene, account, orderUrl);
  const chains = await acme.download(account, certificateUrl, signal);
  return { chains, chain: chains[0] ?? '', keyPem };
}

/** The order once it has a certificate. */
export async function issuedOrder(
  scene: AcmeScene,
  account: AcmeAccount,
  url: string,
): Promise<AcmeOrder> {
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    const order = await scene.acme.readOrder(account, url, signal);
    if (order.status === 'valid') return order;
    if (order.status !== 'processing') throw new Error(`the order is ${order.status}`);
    await scene.pass();
  }
  throw new Error(`no certificate came of ${url}`);
}

export async function obtain(
  scene: AcmeScene,
  account: AcmeAccount,
  names: readonly string[],
): ReturnType<typeof finish> {
  return await finish(scene, account, await readyOrder(scene, account, { names }));
}

/** What the CA said no with; fails when it did not. */
export async function refusal(attempt: Promise<unknown>): Promise<AcmeProblem> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AcmeProblem) return error;
  throw new Error('the CA did not refuse', { cause: error });
}

/** The value of a TXT record (RFC 8555 §8.4). */
export function txtValue(keyAuthorization: string): string {
  return createHash('sha256').update(keyAuthorization).digest('base64url');
}
