import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { countEnd } from './counts.ts';
import { COUNTED_MS } from './limits.ts';
import { type AcmePorts, AUTHOR } from './ports.ts';

/** Records that go in one write. */
const SWEPT_MAX = 50;
/** Between two sweeps: what is left a while longer does no harm. */
const SWEEP_MS = 10 * 60_000;

/** Whether a Certificate or Issuer that is there has this uid. */
export function hasOwner(world: World, uid: string): boolean {
  return (
    world.list('Certificate').some(({ metadata }) => metadata.uid === uid) ||
    world.list('Issuer').some(({ metadata }) => metadata.uid === uid)
  );
}

/**
 * Removes what is left of a Certificate or Issuer that is gone. Safe though read from the mirror:
 * an order and an account begin only while it is there, and uids never come back.
 */
export async function sweepOwner(
  { world, writer, clock }: AcmePorts,
  uid: string,
): Promise<Outcome> {
  if (hasOwner(world, uid)) return 'settled';
  const kinds = ['acmeOrder', 'issuance', 'acmeAccount'] as const;
  const operations = kinds.flatMap((record): Operation[] => {
    const stored = world.record(record, uid);
    if (stored === undefined) return [];
    const { modRevision } = stored;
    return [{ kind: 'record', record, id: uid, value: undefined, modRevision }];
  });
  const order = world.record('acmeOrder', uid);
  const counts = order === undefined ? [] : countEnd(world, uid, { order, nowMs: clock.nowMs() });
  return afterWrite(await writer.commit([...operations, ...counts], AUTHOR));
}

/** Removes counts that no limit looks at any more; of the future: a clock went back since. */
export async function sweepCounts({ world, writer }: AcmePorts, nowMs: number): Promise<Outcome> {
  const counts = world.records('acmeCount');
  if (counts.length === 0) return 'settled';
  const old = counts
    .filter(([, { value }]) => Math.abs(nowMs - value.startedMs) > COUNTED_MS)
    .slice(0, SWEPT_MAX);
  const operations = old.map(
    ([id, { modRevision }]): Operation => ({
      ...{ kind: 'record', record: 'acmeCount', id, value: undefined, modRevision },
    }),
  );
  const outcome = await writer.commit(operations, AUTHOR);
  return afterWrite(outcome, old.length === SWEPT_MAX ? 1 : SWEEP_MS);
}
