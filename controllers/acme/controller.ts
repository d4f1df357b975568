import { type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { nodeViews } from '../../runtime/session/node-view.ts';
import { splitName } from '../../runtime/store/keys.ts';
import type { Revision } from '../../runtime/store/store.ts';
import { reconcileAccount } from './account.ts';
import { affected } from './affected.ts';
import { type Context, inLane, looked, waitingFor } from './context.ts';
import { reconcileOrder } from './order.ts';
import { type AcmeIssuer, type AcmePorts, accountOf, isAcme, issuerOfMaterial } from './ports.ts';
import { reachingAcme } from './reaching.ts';
import { reconcileRenewal } from './renewal.ts';
import { reconcileRevocation } from './revocation.ts';
import { StandingRefusals } from './standing-refusals.ts';
import { inTime } from './step.ts';
import { sweepCounts, sweepOwner } from './sweep.ts';
import { UnseenCounts } from './unseen-counts.ts';
import { untoldWaits } from './untold.ts';

/** Reconciles at a time: most of them wait for a CA. */
const CONCURRENCY = 48;
/** Until the mirror shows what was written; its change calls for a look by itself. */
const MIRROR_MS = 500;
/**
 * Gets certificates from ACME CAs (RFC 8555): it writes records, and the certificates themselves;
 * what is said of them is the certificate controller's. Names: `account:<Issuer>`,
 * `order:<ns/name of a Certificate>`, `renewal:<ns/name>`, `revocation:<fingerprint>`,
 * `owner:<uid>` of what may be gone, and `counts`.
 */
export function acmeController(given: AcmePorts): Controller {
  const listeners = new Set<(name: string) => void>();
  const waiting = waitingFor(given.world, (name) => {
    for (const look of listeners) look(name);
  });
  const written = new Map<string, Revision>();
  const untold = given.untold ?? untoldWaits(given.clock);
  const unseen = new UnseenCounts(given.world);
  const refusals = new StandingRefusals(given.clock);
  return {
    name: 'acme',
    concurrency: CONCURRENCY,
    affected: (change) => affected(given.world, change),
    calls(look) {
      listeners.add(look);
      return () => void listeners.delete(look);
    },
    async reconcile(name, signal) {
      try {
        const revision = written.get(name);
        if (revision !== undefined && given.world.revision < revision)
          return { recheckInMs: MIRROR_MS };
        written.delete(name);
        return await untold.kept(name, (told) => {
          const acme = reachingAcme(given.acme, { told, refusals });
          const writer = remembering(given.writer, { name, written, unseen });
          const ports = { ...given, acme, writer, counts: () => unseen.all() };
          return inTime(given.clock, signal, (asking) =>
            reconcile({ ...waiting, ports, name, signal: asking }),
          );
        });
      } finally {
        looked(waiting, name);
      }
    },
  };
}

/**
 * The next step must see what the last one wrote: a CA would be asked again for what it has given
 * already. The write itself is conditional, whatever was seen.
 */
function remembering(
  writer: AcmePorts['writer'],
  parts: {
    readonly name: string;
    readonly written: Map<string, Revision>;
    readonly unseen: UnseenCounts;
  },
): AcmePorts['writer'] {
  const { name, written, unseen } = parts;
  return {
    async commit(operations, author) {
      const counted = unseen.begin(operations);
      const outcome = await writer.commit(operations, author);
      const revision = outcome.outcome === 'written' ? outcome.revision : undefined;
      counted.end(revision);
      if (revision !== undefined) written.set(name, revision);
      return outcome;
    },
  };
}

function reconcile(context: Context): Promise<Outcome> {
  const { name } = context;
  const cut = name.indexOf(':');
  const [kind, rest] = cut < 0 ? [name, ''] : [name.slice(0, cut), name.slice(cut + 1)];
  switch (kind) {
    case 'account':
      return account(context, rest);
    case 'order':
      return reconcileOrder(context, rest);
    case 'renewal':
      return renewal(context, rest);
    case 'revocation':
      return revocation(context, rest);
    case 'owner':
      return sweepOwner(context.ports, rest);
    default:
      return sweepCounts(context.ports, context.ports.clock.nowMs());
  }
}

async function account(context: Context, name: string): Promise<Outcome> {
  const { ports, signal } = context;
  const issuer = ports.world.get('Issuer', { name });
  if (!isAcme(issuer) || issuer.metadata.deletionTimestamp !== undefined) return 'settled';
  const stored = ports.world.record('acmeAccount', issuer.metadata.uid);
  const nowMs = ports.clock.nowMs();
  return await inLane(context, issuer, () =>
    reconcileAccount({ ports, issuer, stored, nowMs, signal }),
  );
}

async function renewal(context: Context, name: string): Promise<Outcome> {
  const { ports, signal } = context;
  const { world, clock } = ports;
  const certificate = world.get('Certificate', splitName(name));
  if (certificate === undefined || certificate.metadata.deletionTimestamp !== undefined)
    return 'settled';
  const { uid } = certificate.metadata;
  const material = world.record('material', uid)?.value;
  if (material === undefined) return 'settled';
  const issuer = issuerOfMaterial(world, material);
  if (issuer === undefined) return 'settled';
  if (issuer.spec.acme.directory !== material.directory) return 'settled';
  const issuance = world.record('issuance', uid);
  const scene = { ports, certificate, issuer, material, issuance, nowMs: clock.nowMs(), signal };
  return await inLane(context, issuer, () => reconcileRenewal(scene));
}

async function revocation(context: Context, fingerprint: string): Promise<Outcome> {
  const { ports, signal } = context;
  const { world, clock } = ports;
  const stored = world.record('revocation', fingerprint);
  if (stored === undefined) return 'settled';
  const { issuerUid, certificate } = stored.value;
  const issuer = issuerOf(ports, issuerUid);
  const owner = world.get('Certificate', certificate);
  const isThere = owner?.metadata.uid === certificate.uid;
  const material = isThere ? world.record('material', certificate.uid)?.value : undefined;
  const facts = { record: stored.value, fingerprint, material, nodes: nodeViews(world) };
  const known = world.record('acmeAccount', issuerUid)?.value;
  const used = issuer === undefined ? undefined : accountOf(ports, issuer, known);
  const scene = { ports, facts, stored, issuer, account: used, nowMs: clock.nowMs(), signal };
  if (issuer === undefined) return await reconcileRevocation(scene);
  return await inLane(context, issuer, () => reconcileRevocation(scene));
}

function issuerOf({ world }: AcmePorts, uid: string | undefined): AcmeIssuer | undefined {
  const issuer = world.list('Issuer').find(({ metadata }) => metadata.uid === uid);
  return isAcme(issuer) ? issuer : undefined;
}
