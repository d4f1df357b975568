import { EPOCH_KEY, LEADER_KEY, WORLD_PREFIX } from '../../../runtime/store/keys.ts';
import type { Check, CheckPorts } from '../check.ts';

/**
 * INV-16: whatever is written or deleted is bound to the revision that was read of it, so that
 * nobody undoes what he has not seen, nor takes another object of that name for the one he knew.
 * History is exempt: each of its keys is written once.
 */
export function conditionalCheck({ violated }: Pick<CheckPorts, 'violated'>): Check {
  return {
    committed({ revision, transaction: { guards, writes }, process }) {
      const guarded = new Set(guards.map(({ key }) => key));
      for (const { kind, key } of writes)
        if (isShared(key) && !guarded.has(key))
          violated(16, `commit ${revision} of ${process}: ${kind} ${key}, whatever was there`);
    },
  };
}

function isShared(key: string): boolean {
  return key.startsWith(WORLD_PREFIX) || key === EPOCH_KEY || key === LEADER_KEY;
}
