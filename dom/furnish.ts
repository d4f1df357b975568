import { defaultIssuer } from '../controllers/certificates/plan.ts';
import type { Clock } from '../runtime/clock.ts';
import { backoffMs } from '../runtime/control/backoff.ts';
import { describeError } from '../runtime/control/control-loop.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { GeoRecord } from '../runtime/store/records.ts';
import type { World } from '../runtime/store/world.ts';
import type { Author, WriteOutcome, Writer } from '../runtime/store/writer.ts';
import type { Sealer } from '../runtime/tls/authority.ts';
import { keepCookieSecrets } from './cookie-secrets.ts';

export interface FurnishPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
  readonly log: Log;
  /** Puts the geography databases among the blobs; undefined: there are none. */
  readonly importGeo: () => Promise<GeoRecord | undefined>;
}

const AUTHOR: Author = { manager: 'dom', user: 'dom', command: 'first start' };
const RETRY = { baseMs: 500, capMs: 60_000 };

/**
 * Declares what every cluster has without anyone declaring it; tries again until it is there or
 * `signal` is aborted, for without the built-in Issuer no site gets a certificate. Never throws.
 */
export async function furnish(ports: FurnishPorts, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = ports;
  for (const step of [furnishIssuer, keepCookieSecrets, furnishGeo]) {
    for (let failures = 1; !signal.aborted; failures += 1) {
      const error = await step(ports).then(
        ({ outcome }) => (outcome === 'conflict' ? 'it changed meanwhile' : undefined),
        describeError,
      );
      if (error === undefined) break;
      const retryInMs = backoffMs(failures, RETRY, random);
      log.warn({ error, retryInMs }, 'furnishing failed; trying again');
      await clock.sleep(retryInMs, signal).catch(() => undefined);
    }
  }
}

const NOTHING_TO_DO: WriteOutcome = { outcome: 'unchanged' };

async function furnishIssuer({ world, writer }: FurnishPorts): Promise<WriteOutcome> {
  const issuer = defaultIssuer();
  if (world.get('Issuer', { name: issuer.metadata.name }) !== undefined) return NOTHING_TO_DO;
  return writer.commit([{ kind: 'create', object: issuer }], AUTHOR);
}

async function furnishGeo({ world, writer, importGeo }: FurnishPorts): Promise<WriteOutcome> {
  const value = await importGeo();
  if (value === undefined) return NOTHING_TO_DO;
  const before = world.record('geo', 'current');
  if (JSON.stringify(before?.value) === JSON.stringify(value)) return NOTHING_TO_DO;
  const modRevision = before?.modRevision ?? 0n;
  return writer.commit(
    [{ kind: 'record', record: 'geo', id: 'current', value, modRevision }],
    AUTHOR,
  );
}
