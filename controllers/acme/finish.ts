import type { AcmeOrder, CertificateFacts } from '../../runtime/acme/acme.ts';
import type { Outcome } from '../../runtime/control/controller.ts';
import { keptMaterial } from '../../runtime/tls/material-key.ts';
import { AHEAD_MS_MAX, isAsDeclared, requestsOf } from '../../runtime/tls/renewal.ts';
import { isSuggested } from './counts.ts';
import { succeed } from './end.ts';
import { NOT_BEGUN } from './plan.ts';
import { advance, type OrderScene, pause, rest } from './scene.ts';
import { OrderError, problemText } from './trouble.ts';

/** Between two looks at an order that the CA works on, when it does not say how long (RFC 8555 §7.4). */
const POLL_MS_MIN = 1_000;
const POLL_MS_MAX = 10_000;
const RETRY_AFTER_MS_MAX = 10 * 60_000;
/** What begins within a day is waited for: clocks are off by hours when time zones are mixed up. */
const EARLY_MS_MAX = 86_400_000;

/** Asks for the certificate with the key that was stored: doing so twice does no harm. */
export async function finalizeOrder(scene: OrderScene): Promise<Outcome> {
  const { ports, account, order, certificate, signal } = scene;
  const { url, names, sealedKey } = order.value;
  if (url === undefined) throw new OrderError('nonsense', 'the order has no URL');
  const found = await ports.acme.readOrder(account, url, signal);
  if (found.status !== 'ready') return await worked(scene, found);
  const keyPem = ports.sealer.open(sealedKey, certificate.metadata.uid);
  const request = { finalizeUrl: found.finalizeUrl, orderUrl: url, names, keyPem };
  return await worked(scene, await ports.acme.finalize(account, request, signal));
}

async function worked(scene: OrderScene, found: AcmeOrder): Promise<Outcome> {
  switch (found.status) {
    case 'valid':
      if (found.certificateUrl === undefined)
        throw new OrderError('nonsense', 'the CA says that it is done, and gives no certificate');
      return await advance(scene, { phase: 'downloading', certificateUrl: found.certificateUrl });
    case 'invalid': {
      const why = found.problem === undefined ? 'without a reason' : problemText(found.problem);
      throw new OrderError(found.problem?.type ?? 'invalid', `the CA gave the order up: ${why}`);
    }
    // All is proven, but the CA has not drawn its conclusion yet, or works on it.
    case 'pending':
    case 'ready':
    case 'processing':
      return await pause(scene, pollMs(scene, found.retryAfterMs));
  }
}

/** Growing with the time that it has taken. */
export function pollMs(
  { nowMs, order }: Pick<OrderScene, 'nowMs' | 'order'>,
  retryAfterMs: number | undefined,
  sinceMs: number = order.value.progressMs,
): number {
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, RETRY_AFTER_MS_MAX);
  return Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, (nowMs - sinceMs) / 2));
}

/** Fetches the certificate, and puts it where nodes get it from if it is good (INV-29). */
export async function downloadCertificate(scene: OrderScene): Promise<Outcome> {
  const { ports, account, order, certificate, issuer, nowMs, signal } = scene;
  const { certificateUrl, names, keyType, sealedKey, profile, renewRequest } = order.value;
  if (certificateUrl === undefined) throw new OrderError('nonsense', 'the certificate has no URL');
  const chains = await ports.acme.download(account, certificateUrl, signal);
  const keyPem = ports.sealer.open(sealedKey, certificate.metadata.uid);
  const chosen = chooseChain(scene, chains, keyPem);
  if (chosen.kind === 'early') {
    const trouble = { kind: 'order', reason: NOT_BEGUN, message: chosen.message } as const;
    return await rest(scene, { ...trouble, retryAfterMs: undefined });
  }
  const { chainPem, facts } = chosen;
  return await succeed(scene, {
    chainPem,
    sealedKey,
    names,
    keyType,
    issuerUid: issuer.metadata.uid,
    issuedMs: nowMs,
    notBeforeMs: facts.notBeforeMs,
    notAfterMs: facts.notAfterMs,
    fingerprint: facts.fingerprint,
    serialNumber: facts.serialNumber,
    directory: issuer.spec.acme.directory,
    ...(profile === undefined ? {} : { profile }),
    ...(renewRequest === undefined ? {} : { renewRequest }),
  });
}

interface Chain {
  readonly chainPem: string;
  readonly facts: CertificateFacts;
}

/** What is wrong with a chain. `early`: nothing but that it has not begun, by the clock of dom. */
interface Flaw {
  readonly kind: 'bad' | 'early';
  readonly what: string;
}

/**
 * The preferred chain, or the first: of those that are good, for one that is not must not cost the
 * certificate. Throws what is wrong with the one that would have been taken. `early`: the clock of
 * dom is behind, or the CA's ahead: another order would bring the same, and they are limited.
 */
function chooseChain(
  scene: OrderScene,
  chains: readonly string[],
  keyPem: string,
): (Chain & { readonly kind: 'good' }) | { readonly kind: 'early'; readonly message: string } {
  const { preferredChain } = scene.issuer.spec.acme;
  const read = chains.map((chainPem) => readChain(scene, chainPem, keyPem));
  const isPreferred = ({ facts }: (typeof read)[number]): boolean =>
    preferredChain !== undefined && facts?.issuers.includes(preferredChain) === true;
  const ranked = [...read.filter(isPreferred), ...read.filter((each) => !isPreferred(each))];
  for (const { chainPem, facts, flaw } of ranked)
    if (facts !== undefined && flaw === undefined) return { kind: 'good', chainPem, facts };
  const early = ranked.find(({ flaw }) => flaw?.kind === 'early')?.flaw;
  if (early !== undefined)
    return { kind: 'early', message: `the CA gave a certificate, but ${early.what}` };
  const what = ranked[0]?.flaw?.what ?? 'there is none';
  throw new OrderError('badCertificate', `the CA gave a certificate that is no good: ${what}`);
}

function readChain(
  scene: OrderScene,
  chainPem: string,
  keyPem: string,
): Omit<Chain, 'facts'> & {
  readonly facts: CertificateFacts | undefined;
  readonly flaw: Flaw | undefined;
} {
  try {
    const facts = scene.ports.certificateReader.read(chainPem, keyPem);
    return { chainPem, facts, flaw: flawOf(scene, facts) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { chainPem, facts: undefined, flaw: bad(`it cannot be read: ${why}`) };
  }
}

/** What is wrong with a new certificate; undefined: it is fit to take over (INV-29). */
function flawOf(scene: OrderScene, facts: CertificateFacts): Flaw | undefined {
  const { order, nowMs } = scene;
  const { names, keyType } = order.value;
  const [problem] = facts.problems;
  if (problem !== undefined) return bad(problem);
  const held = new Set(facts.names);
  const lacking = names.filter((name) => !held.has(name));
  if (lacking.length > 0) return bad(`it is not for ${lacking.join(', ')}`);
  if (facts.keyType !== keyType) return bad(`its key is of another kind: ${facts.keyType}`);
  const [from, until] = [facts.notBeforeMs, facts.notAfterMs].map((ms) =>
    new Date(ms).toISOString(),
  );
  if (facts.notAfterMs <= nowMs)
    return bad(`it ended at ${until}, by the clock of dom, which may be wrong`);
  if (isWorse(scene, facts)) return bad(`it ends at ${until}, before the one in use`);
  const inMs = facts.notBeforeMs - nowMs;
  if (inMs <= AHEAD_MS_MAX) return undefined;
  const what = `it begins at ${from}, by the clock of dom, which may be wrong`;
  return { kind: inMs <= EARLY_MS_MAX ? 'early' : 'bad', what };
}

function bad(what: string): Flaw {
  return { kind: 'bad', what };
}

/** Whether it would end before one that is as good as it; whoever asked for another gets it. */
function isWorse(scene: OrderScene, { notAfterMs }: CertificateFacts): boolean {
  const { material, certificate, issuer, order, nowMs } = scene;
  const { uid } = certificate.metadata;
  const inUse = keptMaterial(scene.ports.sealer, uid, material?.value);
  if (inUse === undefined || inUse.notAfterMs <= nowMs || notAfterMs >= inUse.notAfterMs)
    return false;
  // The CA may want it gone whatever its age (RFC 9773 §4.2), or give other lives from now on.
  if (inUse.profile !== order.value.profile || isSuggested(scene)) return false;
  const { renew, revoke } = requestsOf(certificate);
  const isAskedFor = renew !== inUse.renewRequest || revoke?.fingerprint === inUse.fingerprint;
  return !isAskedFor && isAsDeclared(certificate.spec, inUse, [issuer]);
}
