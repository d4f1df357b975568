import { type Drifted, type Facts, REPOSITORY_MANAGER } from '../facts.ts';

/**
 * Two Repositories that want different things would take turns for ever. One that keeps the object no
 * more, or gives it up by the same commit, has no say in it, though its name is still on the fields.
 */
export function isAnothers(facts: Facts, key: string, manager: string): boolean {
  return facts
    .keepers(key)
    .some((name) => manager === `${REPOSITORY_MANAGER}${name}` && !facts.gives(name, key));
}

/**
 * What has drifted and may be put back: nothing of an object that another Repository has taken over, by
 * a commit that this one refuses.
 */
export function mendable(facts: Facts): readonly Drifted[] {
  const all = facts.drifted();
  const taken = all.filter(({ key, drift }) => isAnothers(facts, key, drift.manager ?? ''));
  const keys = new Set(taken.map(({ key }) => key));
  return all.filter(({ key }) => !keys.has(key));
}
