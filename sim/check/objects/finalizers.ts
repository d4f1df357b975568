import type { Resource } from '../../../api/object.ts';
import type { Check, CheckPorts } from '../check.ts';

/** INV-16: an object stays until all who have to clean up after it have let it go. */
export function finalizersCheck({ violated, reached }: CheckPorts): Check {
  const letGo = new Set<string>();
  return {
    letGo: (uid) => void letGo.add(uid),
    committed({ transaction: { writes }, before }) {
      for (const { kind, key } of writes) {
        const value = before.get(key)?.value;
        if (kind !== 'delete' || value === undefined || key.startsWith('/b8s/system/')) continue;
        const { uid, finalizers = [] } = (JSON.parse(value) as Resource).metadata;
        if (finalizers.length === 0) continue;
        if (letGo.has(uid)) reached('finalizer done');
        else violated(16, `${key} goes while ${finalizers.join(', ')} is still to be done`);
      }
    },
  };
}
