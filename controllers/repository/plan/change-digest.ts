import { createHash } from 'node:crypto';
import type { Effect } from '../../../runtime/declarer.ts';
import { declarationOf } from '../../../runtime/fields.ts';
import type { Facts } from '../facts.ts';
import type { SetChange } from './plan.ts';

/**
 * Of what changes make of which objects, 64 hex digits: equal for two looks if nobody has changed in
 * between what is declared of these objects, nor whether what is removed is deleted. To whom an object
 * goes over is not in it, for others decide that.
 */
export function changeDigest(
  changes: readonly SetChange[],
  effects: ReadonlyMap<string, Effect>,
  { live, repository }: Pick<Facts, 'live' | 'repository'>,
): string {
  const hash = createHash('sha256');
  for (const { key, object } of changes) {
    const isRemoved = object === undefined;
    const effect = isRemoved ? undefined : effects.get(key);
    const { after, changedValues } = effect ?? {};
    const before = isRemoved ? live(key) : effect?.before;
    const sides = [before?.metadata.uid, declarationOf(before), declarationOf(after)];
    const how = isRemoved ? repository.spec.prune : undefined;
    hash.update(`${JSON.stringify([key, isRemoved, how, ...sides, changedValues])}\n`);
  }
  return hash.digest('hex');
}

/** Of a commit that changes nothing. */
export const NO_CHANGES: string = createHash('sha256').digest('hex');
