import type { Secondary, TransferKey, TransferPlan } from '../../proto/gen/b8s/v1/plan.ts';
import { transferKeyContext } from '../../runtime/dns/transfer-key.ts';
import type { Stored, TransferKeyRecord, ZoneRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';

/** Opens a sealed secret; see `OpenKey`. */
type Open = (sealed: { readonly sealedKey: string }, context: string) => string;

/** Changes whenever a key does that a secondary of the zone has. */
export function transferVersion(world: World, { transfer }: ZoneRecord): string {
  if (transfer === undefined) return '';
  const revisions = transfer.secondaries.map(({ key }) => keyOf(world, key)?.modRevision ?? 0n);
  return `+transfer${revisions.join(',')}`;
}

/**
 * Who may take the zone, with the secrets. A secondary whose key is not there is left out: to let
 * it in by its address alone would be less than what was asked for.
 */
export function transferPlan(
  world: World,
  { transfer }: ZoneRecord,
  open: Open,
): TransferPlan | undefined {
  if (transfer === undefined) return undefined;
  const secondaries = transfer.secondaries.flatMap(({ address, port, key }): Secondary[] => {
    if (key === undefined) return [{ address, port, key: undefined }];
    const stored = keyOf(world, key);
    return stored === undefined ? [] : [{ address, port, key: opened(key, stored.value, open) }];
  });
  return { secondaries, addresses: transfer.addresses };
}

function keyOf(world: World, name: string | undefined): Stored<TransferKeyRecord> | undefined {
  return name === undefined ? undefined : world.record('transferKey', name);
}

function opened(name: string, record: TransferKeyRecord, open: Open): TransferKey {
  const secret = Buffer.from(open(record, transferKeyContext(name)), 'base64');
  return { name, algorithm: record.algorithm, secret };
}
