import { createHash } from 'node:crypto';
import type { Effect } from '../../runtime/declarer.ts';
import { declarationOf } from '../../runtime/fields.ts';
import type { SetChange } from './plan.ts';

/**
 * Of what changes make of which objects, 64 hex digits: equal for two looks if nobody has changed in
 * between what is declared of these objects. Which way a removed one goes is not in it, for others
 * decide that.
 */
export function changeDigest(
  changes: readonly SetChange[],
  effects: ReadonlyMap<string, Effect>,
): string {
  const hash = createHash('sha256');
  for (const { key, object } of changes) {
    const effect = object === undefined ? undefined : effects.get(key);
    const { before, after, changedValues } = effect ?? {};
    const sides = [before?.metadata.uid, declarationOf(before), declarationOf(after)];
    hash.update(`${JSON.stringify([key, object === undefined, ...sides, changedValues])}\n`);
  }
  return hash.digest('hex');
}
