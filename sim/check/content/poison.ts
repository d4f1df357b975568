import { condition } from '../../../api/object.ts';
import { objectKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import { NAMESPACE } from '../../load/wish.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';

/**
 * INV-5, the other half: a site that can never become ready is kept as it was declared, is not
 * said to be ready, and says why not, of its newest generation. That it harms no other is seen by
 * all that the others must be.
 */
export function poisonCheck(
  { violated, reached }: Pick<CheckPorts, 'violated' | 'reached'>,
  { history, poisoned }: { readonly history: StoreHistory; readonly poisoned: () => Set<string> },
): Check {
  return {
    rested() {
      for (const name of [...poisoned()].toSorted()) {
        const fault = faultOf(history, name);
        if (fault !== undefined) violated(5, `the impossible Site ${name} ${fault}`);
        reached('impossible site at rest');
      }
    },
  };
}

function faultOf(history: StoreHistory, name: string): string | undefined {
  const key = objectKey({ kind: 'Site', namespace: NAMESPACE, name });
  const item = history.get(key, history.head);
  if (item === undefined) return 'is gone';
  const site = decodeObject(item);
  const ready = condition(site, 'Ready');
  if (ready === undefined) return 'says nothing';
  if (ready.status === 'True') return 'is said to be ready';
  if (ready.observedGeneration !== site.metadata.generation) return 'says nothing of its spec';
  return /^[A-Z][A-Za-z]+$/.test(ready.reason) && ready.message !== '' ? undefined : 'says no why';
}
