import type { Certificate } from '../../api/certificate.ts';
import { RENEW_REQUESTED, REVOKE_REQUESTED, ROLLOVER_REQUESTED } from '../../api/requests.ts';
import { REVOCATION_REASONS } from '../../runtime/acme/acme.ts';
import type { Clock } from '../../runtime/clock.ts';
import { DIRECTORY, EXTERNAL_KEY_ID, SECOND_DIRECTORY } from '../ca/simulated-ca.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { LoadPorts } from './load-ports.ts';
import type { User } from './user.ts';
import { type CertificateWish, hostOf, NAMESPACE, ORIGIN } from './wish.ts';

/** What one person does things with; `random` is the operation's own. */
export interface ApplicantHand {
  readonly cluster: Cluster;
  readonly user: User;
  readonly random: SeededRandom;
  readonly clock: Clock;
}

/** The Issuers of a world with a CA, and the challenge that each insists on. */
export const ISSUERS = { public: undefined, plain: 'http-01', alpn: 'tls-alpn-01' } as const;
/** Asked when `public` has failed a few times. */
const FALLBACK = 'second';
const SECRET = 'customer';

/** Certificates that are declared by hand, with the names that they may have. */
const NAMES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  wild: [[`*.${ORIGIN}`, ORIGIN], [`*.${ORIGIN}`]],
  pair: [
    [`one.${ORIGIN}`, `two.${ORIGIN}`],
    [`one.${ORIGIN}`, `three.${ORIGIN}`],
  ],
  // Those of a Site's own certificate.
  twin: [[hostOf('blog')]],
};

const THINKING_MS_MAX = 12_000;

const OPERATIONS: readonly ((hand: ApplicantHand) => Promise<void>)[] = [
  ...[renew, renew, revoke, rollOver, recreate, recreate, reissue],
  recreateIssuer,
];

/** Somebody who gets certificates from the CA of a world, if it has one. */
export async function startApplicant(
  cluster: Cluster,
  { scheduler, random, leftOut }: LoadPorts,
): Promise<void> {
  const { ca } = cluster;
  if (ca === undefined) return;
  const user = cluster.newUser('applicant');
  const clock = scheduler.clock();
  const hand = (name: string): ApplicantHand => ({
    ...{ cluster, user, clock, random: random.fork(name) },
  });
  await clock.sleep(random.integer(0, 4_000));
  await declareIssuers(hand('issuers'));
  for (const name of Object.keys(NAMES))
    if (random.chance(0.6)) await declareCertificate(hand(name), name, 0);
  for (let number = 1; number <= ca.setting.operations; number += 1) {
    if (leftOut.includes(`ca.${number}`)) continue;
    const own = random.fork(`operation ${number}`);
    await clock.sleep(own.integer(0, THINKING_MS_MAX));
    await own.pick(OPERATIONS)(hand(`do ${number}`));
  }
}

export async function declareIssuers(hand: ApplicantHand): Promise<void> {
  const { cluster, user } = hand;
  const { ca } = cluster;
  if (ca?.setting.accounts === 'bound') {
    cluster.checks.confided({ kind: 'mac key', text: ca.macKey });
    const spec = { data: { 'mac-key': ca.macKey } };
    await user.apply({ kind: 'Secret', metadata: { namespace: NAMESPACE, name: SECRET }, spec });
  }
  for (const name of Object.keys(ISSUERS)) await applyIssuer(hand, name);
  await applyIssuer(hand, FALLBACK);
}

/** `which`: of the sets of names that it may have. */
export async function declareCertificate(
  hand: ApplicantHand,
  name: string,
  which: number,
): Promise<void> {
  const names = NAMES[name]?.[which] ?? NAMES[name]?.[0] ?? [];
  await applyCertificate(hand, { name, names, issuer: 'public' });
}

async function renew(hand: ApplicantHand): Promise<void> {
  await annotate(hand, { [RENEW_REQUESTED]: `request ${hand.random.integer(0, 1_000_000)}` });
}

async function revoke(hand: ApplicantHand): Promise<void> {
  const { user, random } = hand;
  const wished = anyCertificate(hand);
  if (wished === undefined) return;
  const found = await user.get({ kind: 'Certificate', namespace: NAMESPACE, name: wished.name });
  const fingerprint = (found as Certificate | undefined)?.status?.fingerprint;
  if (fingerprint === undefined) return;
  const reasons = Object.keys(REVOCATION_REASONS).filter((each) => each !== 'cessationOfOperation');
  const request = `${fingerprint} ${random.pick(reasons)}`;
  await applyCertificate(hand, wished, { [REVOKE_REQUESTED]: request });
}

async function rollOver(hand: ApplicantHand): Promise<void> {
  const { random } = hand;
  const request = `request ${random.integer(0, 1_000_000)}`;
  const name = random.pick(Object.keys(ISSUERS));
  await applyIssuer(hand, name, { [ROLLOVER_REQUESTED]: request });
}

/** Another Certificate of that name, perhaps while the order of the first one is under way. */
async function recreate(hand: ApplicantHand): Promise<void> {
  const { cluster, user, random, clock } = hand;
  const name = random.pick(Object.keys(NAMES));
  if (cluster.wish.certificates.has(name)) {
    await user.delete({ kind: 'Certificate', namespace: NAMESPACE, name });
    cluster.wish.certificates.delete(name);
    await clock.sleep(random.pick([0, 0, random.integer(0, 5_000)]));
    if (random.chance(0.2)) return;
  }
  await declareCertificate(hand, name, random.integer(0, 1));
}

async function reissue(hand: ApplicantHand): Promise<void> {
  const { random } = hand;
  const wished = anyCertificate(hand);
  if (wished !== undefined) await declareCertificate(hand, wished.name, random.integer(0, 1));
}

/** With another account, for certificates and orders that the first one has left. */
async function recreateIssuer(hand: ApplicantHand): Promise<void> {
  const { user, random, clock } = hand;
  const name = random.pick(Object.keys(ISSUERS));
  await user.delete({ kind: 'Issuer', name });
  await clock.sleep(random.integer(0, 5_000));
  await applyIssuer(hand, name);
}

async function annotate(
  hand: ApplicantHand,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const wished = anyCertificate(hand);
  if (wished !== undefined) await applyCertificate(hand, wished, annotations);
}

function anyCertificate({ cluster, random }: ApplicantHand): CertificateWish | undefined {
  const all = [...cluster.wish.certificates.values()];
  return all.length === 0 ? undefined : random.pick(all);
}

export async function applyCertificate(
  { cluster, user }: ApplicantHand,
  wished: CertificateWish,
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { name, names, issuer } = wished;
  const metadata = { namespace: NAMESPACE, name, annotations };
  await user.apply({ kind: 'Certificate', metadata, spec: { names, issuer } });
  cluster.wish.certificates.set(name, wished);
}

export async function applyIssuer(
  { cluster, user }: ApplicantHand,
  name: string,
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const challenge = (ISSUERS as Readonly<Record<string, string | undefined>>)[name];
  const isFirst = name !== FALLBACK;
  const isBound = isFirst && cluster.ca?.setting.accounts === 'bound';
  const externalAccount = { keyId: EXTERNAL_KEY_ID, secret: `${NAMESPACE}/${SECRET}` };
  const acme = {
    directory: isFirst ? DIRECTORY : SECOND_DIRECTORY,
    termsOfServiceAgreed: true,
    contact: ['ops@example.test'],
    ...(challenge === undefined ? {} : { challenge }),
    ...(isBound ? { externalAccount } : {}),
    ...(name === 'public' ? { fallbacks: [FALLBACK] } : {}),
  };
  await user.apply({ kind: 'Issuer', metadata: { name, annotations }, spec: { acme } });
}
