import { type AcmeAuthorization, AcmeProblem } from '../../runtime/acme/acme.ts';
import { type ProofFacts, proofStanding } from '../../runtime/acme/proof-standing.ts';
import type { AcmeAuthorizationRecord } from '../../runtime/acme/records.ts';
import type { Outcome } from '../../runtime/control/controller.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import { nodeViews } from '../../runtime/session/node-view.ts';
import { allAnswers, weightiest } from './answers.ts';
import { placeOfRecord, proofOf, publicAlias } from './challenge.ts';
import { pollMs } from './finish.ts';
import { awaitOutside, type Outside, outsideOf, type Standing, zoneOf } from './outside-proofs.ts';
import { type AcmePorts, SOURCE } from './ports.ts';
import { advance, type OrderScene, pause } from './scene.ts';
import { OrderError, problemText } from './trouble.ts';

/** Authorizations that one step takes further, so that a step is over within its bound. */
const BATCH = 10;
/** While nodes are waited for, beside the changes that call for a look. */
const WAIT_MS_MAX = 30_000;

/** One step towards all names being proven; which, the stored order says. */
export async function proveNames(scene: OrderScene): Promise<Outcome> {
  const { authorizations } = scene.order.value;
  if (authorizations.every(({ state }) => state === 'valid'))
    return await advance(scene, { phase: 'finalizing' });
  if (authorizations.some(({ state }) => state === 'pending')) return await propose(scene);
  const outdated = await proposedWithoutZone(scene);
  if (outdated.length > 0) return await advance(scene, { authorizations: outdated });
  const standings = standingsOf(scene);
  const outside = await outsideOf(scene, standings);
  const inPlace = standings.filter(
    (each) =>
      each.standing.kind === 'inPlace' && (outside.get(zoneOf(each))?.waitedFor ?? []).length === 0,
  );
  if (inPlace.length > 0) return await answer(scene, inPlace, outside);
  const isNews = standings.some(
    ({ authorization, standing }) =>
      standing.serial !== undefined && authorization.proof?.serial !== standing.serial,
  );
  if (isNews) return await remember(scene, standings);
  if (authorizations.some(({ state }) => state === 'asked')) return await poll(scene);
  const untilMs = standings.flatMap(({ standing }) =>
    standing.kind === 'waiting' ? (standing.untilMs ?? []) : [],
  );
  const leftMs = Math.min(...untilMs, scene.nowMs + WAIT_MS_MAX) - scene.nowMs;
  const looksMs = [...outside.values()].map(({ recheckInMs }) => recheckInMs);
  return await awaitOutside(scene, outside, Math.max(1, Math.min(leftMs, ...looksMs)));
}

/**
 * All authorizations, with those to be proposed anew that were proposed before the Zone of the name
 * was there: what leads to no edge may be proven by DNS now. Empty: there are none.
 */
async function proposedWithoutZone({
  ports,
  order,
  issuer,
}: OrderScene): Promise<readonly AcmeAuthorizationRecord[]> {
  if (issuer.spec.acme.challenge !== undefined) return [];
  const { authorizations } = order.value;
  const outdated = new Set<string>();
  const zones = zonesByOrigin(ports.world.list('Zone'));
  for (const { url, name, state, proof } of authorizations) {
    if (state !== 'proposed' || proof?.withoutZone !== true) continue;
    // A Zone that leads elsewhere holds no proof: it would be proposed anew for ever.
    const place = await placeOfRecord(name, zones, () => Promise.resolve(undefined));
    if (place !== undefined) outdated.add(url);
  }
  if (outdated.size === 0) return [];
  return authorizations.map((each): AcmeAuthorizationRecord => {
    const { url, name, wildcard } = each;
    return outdated.has(url) ? { url, name, wildcard, state: 'pending' } : each;
  });
}

/** Reads what the CA wants to see, and stores what is put up for it. */
async function propose(scene: OrderScene): Promise<Outcome> {
  const { ports, account, order, issuer, nowMs, signal } = scene;
  const zones = zonesByOrigin(ports.world.list('Zone'));
  const { challenge: chosen } = issuer.spec.acme;
  const keyAuthorization = (token: string): string =>
    ports.acme.keyAuthorization(token, account.keyPem);
  const batch = order.value.authorizations
    .filter(({ state }) => state === 'pending')
    .slice(0, BATCH);
  const read = await allAnswers(
    batch.map(async ({ url }): Promise<AcmeAuthorizationRecord> => {
      const found = await ports.acme.readAuthorization(account, url, signal);
      const { name, wildcard, status } = checked(scene, found);
      if (status === 'valid') return { url, name, wildcard, state: 'valid' };
      if (status !== 'pending') throw new OrderError('unauthorized', whyInvalid(found), [name]);
      const place = await placeOfRecord(name, zones, publicAlias(ports.publicDns, signal));
      const open = order.value.ways?.[name];
      const proof = proofOf(found, { chosen, place, open, keyAuthorization, nowMs });
      return { url, name, wildcard, state: 'proposed', proof };
    }),
  );
  return await advance(scene, { authorizations: replaced(scene, read) });
}

/** An authorization for another name than one of ours would have us prove what nobody asked for. */
function checked(scene: OrderScene, found: AcmeAuthorization): AcmeAuthorization {
  const name = found.wildcard ? `*.${found.name}` : found.name;
  if (scene.order.value.names.includes(name)) return found;
  throw new OrderError('nonsense', `the CA wants a proof for ${name}, which was not ordered`);
}

/** Of each name that the CA was not told to look at yet. */
function standingsOf({ ports, order, nowMs }: OrderScene): readonly Standing[] {
  const facts = proofFacts(ports);
  return order.value.authorizations.flatMap((authorization) => {
    const { name, state, proof } = authorization;
    if (state !== 'proposed' || proof === undefined) return [];
    return [{ authorization, standing: proofStanding({ name, proof }, facts, nowMs) }];
  });
}

function proofFacts({ world }: AcmePorts): ProofFacts {
  return {
    zones: zonesByOrigin(world.list('Zone')),
    zoneRecord: (zone) => world.record('zone', zone)?.value,
    nodes: nodeViews(world),
  };
}

/** Since which serial a zone has the proof: later versions have it, too. */
async function remember(scene: OrderScene, standings: readonly Standing[]): Promise<Outcome> {
  const changed = standings.map(({ authorization, standing }) =>
    withSerial(authorization, standing.serial),
  );
  return await advance(scene, { authorizations: replaced(scene, changed) });
}

/** Tells the CA to look at what is in place. */
async function answer(
  scene: OrderScene,
  inPlace: readonly Standing[],
  outside: Outside,
): Promise<Outcome> {
  const { ports, account, nowMs, signal, certificate } = scene;
  const batch = inPlace.slice(0, BATCH);
  const asked = await allAnswers(
    batch.map(async ({ authorization, standing }): Promise<AcmeAuthorizationRecord> => {
      const { url, proof } = authorization;
      if (proof === undefined) return authorization;
      try {
        await ports.acme.answerChallenge(account, proof.url, signal);
      } catch (error) {
        if (!(error instanceof AcmeProblem)) throw error;
        // Told before a crash, some CAs refuse to be told again: then it has looked, or is looking.
        const isStillOpen = await isOpen(scene, authorization).catch((second: unknown) => {
          throw weightiest([error, second]);
        });
        if (isStillOpen) throw error;
      }
      const state: AcmeAuthorizationRecord = { ...authorization, state: 'asked', askedMs: nowMs };
      return { ...withSerial(state, standing.serial), url };
    }),
  );
  const aside = new Set(
    batch.flatMap((each) => [
      ...(each.standing.kind === 'inPlace' ? each.standing.aside : []),
      ...(outside.get(zoneOf(each))?.aside ?? []),
    ]),
  );
  if (aside.size > 0) {
    const message = `the CA was asked to look though ${[...aside].toSorted().join(', ')} may not have the proof: waited long enough`;
    const note = { type: 'Warning', reason: 'ProofNotEverywhere', message } as const;
    ports.events.record({ regarding: certificate, source: SOURCE, ...note });
  }
  return await advance(scene, { authorizations: replaced(scene, asked) });
}

/** Whether the CA still waits to be told to look. */
async function isOpen(
  scene: OrderScene,
  { url, proof }: AcmeAuthorizationRecord,
): Promise<boolean> {
  const { ports, account, signal } = scene;
  const found = await ports.acme.readAuthorization(account, url, signal);
  const challenge = found.challenges.find((each) => each.url === proof?.url);
  return found.status === 'pending' && challenge?.status === 'pending';
}

/** Looks whether the CA has found what it was told to look at. */
async function poll(scene: OrderScene): Promise<Outcome> {
  const { ports, account, order, signal } = scene;
  const asked = order.value.authorizations.filter(({ state }) => state === 'asked');
  const batch = asked.slice(0, BATCH);
  const read = await allAnswers(
    batch.map(async (each) => ({
      each,
      found: await ports.acme.readAuthorization(account, each.url, signal),
    })),
  );
  const failed = read.filter(({ found }) => found.status !== 'pending' && found.status !== 'valid');
  if (failed.length > 0) {
    const why = failed.map(({ found }) => whyInvalid(found)).join('; ');
    throw new OrderError(
      reasonOf(failed[0]?.found),
      why,
      failed.map(({ each }) => each.name),
    );
  }
  const valid = read.filter(({ found }) => found.status === 'valid');
  if (valid.length > 0) {
    const proven = valid.map(
      ({ each: { url, name, wildcard } }): AcmeAuthorizationRecord => ({
        url,
        name,
        wildcard,
        state: 'valid',
      }),
    );
    return await advance(scene, { authorizations: replaced(scene, proven) });
  }
  const retryAfterMs = read.flatMap(({ found }) => found.retryAfterMs ?? []);
  const sinceMs = Math.min(...batch.map(({ askedMs }) => askedMs ?? scene.nowMs));
  const said = retryAfterMs.length === 0 ? undefined : Math.max(...retryAfterMs);
  return await pause(scene, pollMs(scene, said, sinceMs));
}

function reasonOf(found: AcmeAuthorization | undefined): string {
  const problem = found?.challenges.find((each) => each.problem !== undefined)?.problem;
  return problem?.type ?? 'unauthorized';
}

function whyInvalid({ name, wildcard, status, challenges }: AcmeAuthorization): string {
  const shown = wildcard ? `*.${name}` : name;
  const failed = challenges.find(({ problem }) => problem !== undefined);
  return failed?.problem === undefined
    ? `${shown}: the CA says that its authorization is ${status}`
    : `${shown} (${failed.type}): ${problemText(failed.problem)}`;
}

function withSerial(
  authorization: AcmeAuthorizationRecord,
  serial: number | undefined,
): AcmeAuthorizationRecord {
  const { proof } = authorization;
  if (proof === undefined || serial === undefined) return authorization;
  return { ...authorization, proof: { ...proof, serial } };
}

/** The stored ones, with those that changed in their places. */
function replaced(
  { order }: OrderScene,
  changed: readonly AcmeAuthorizationRecord[],
): readonly AcmeAuthorizationRecord[] {
  const byUrl = new Map(changed.map((each) => [each.url, each]));
  return order.value.authorizations.map((each) => byUrl.get(each.url) ?? each);
}
