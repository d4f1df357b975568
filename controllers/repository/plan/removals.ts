import { PRUNE } from '../../../api/repository.ts';
import { type CommitSet, type Facts, keyOf } from '../facts.ts';
import type { Apply, Removal, SetChange } from './plan.ts';

/** What a commit changes of what the Repository keeps. */
export function changesOf(facts: Facts, set: CommitSet): readonly SetChange[] {
  const { inventory, same } = facts;
  const wanted = new Set(set.desired.map(({ key }) => key));
  const applies = set.desired
    .filter((desired) => {
      const kept = inventory.get(desired.key)?.value;
      return kept?.file !== desired.file || !same(kept.object, desired.object);
    })
    .map((desired): Apply => ({ key: desired.key, object: desired.object, desired }));
  const removals = [...inventory.keys()]
    .filter((key) => !wanted.has(key))
    .map((key) => removalOf(facts, key));
  return [...applies, ...removals];
}

function removalOf(facts: Facts, key: string): Removal {
  const kept = keptBecause(facts, key);
  const how = kept === undefined ? 'delete' : 'let go';
  const { unread } = kept ?? {};
  return { key, object: undefined, how, ...(unread !== undefined && { unread }) };
}

interface Kept {
  readonly why: string;
  /** Another Repository, which has it from then on. */
  readonly to?: string;
  /** Another Repository, of which nobody knows whether it declares the object. */
  readonly unread?: string;
}

/** Why an object that is declared no more stays, for a person; undefined: it does not. */
export function keptBecause(facts: Facts, key: string): Kept | undefined {
  const { repository, inventory, remote } = facts;
  const live = facts.live(key);
  if (repository.spec.prune === 'off') return { why: 'spec.prune is off' };
  if (key === keyOf(repository)) return { why: 'a Repository does not delete itself' };
  if (live === undefined) return { why: 'it is gone already' };
  // A new object of an old name is another object.
  if (live.metadata.uid !== inventory.get(key)?.value.uid) return { why: 'somebody made it anew' };
  if (live.metadata.annotations?.[PRUNE] === 'disabled') return { why: `${PRUNE} is disabled` };
  const [keeper] = facts.keepers(key);
  if (keeper !== undefined) return { why: `repository ${keeper} keeps it, too` };
  const to = facts.claimant(key);
  if (to !== undefined) return { why: `repository ${to} declares it in this commit`, to };
  const unread = remote.set === undefined ? undefined : facts.unread(remote.set.commit);
  if (unread === undefined) return undefined;
  return { why: `repository ${unread} may declare it, and cannot read this commit`, unread };
}
