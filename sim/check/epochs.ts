import { EPOCH_KEY } from '../../runtime/keys.ts';
import type { Check, CheckPorts } from './check.ts';

/** INV-15: every commit carries its epoch, and epochs only grow. */
export function epochsCheck({ violated }: CheckPorts): Check {
  let last = 0n;
  return {
    committed({ revision, transaction: { guards, writes } }) {
      if (!guards.some(({ key }) => key === EPOCH_KEY))
        violated(15, `commit ${revision} does not carry its epoch`);
      for (const write of writes) {
        if (write.kind !== 'put' || write.key !== EPOCH_KEY) continue;
        const { epoch } = JSON.parse(write.value) as { epoch: string };
        if (BigInt(epoch) <= last) violated(15, `epoch ${epoch} comes after ${last}`);
        last = BigInt(epoch);
      }
    },
  };
}
