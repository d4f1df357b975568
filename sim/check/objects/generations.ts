import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../../api/object.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { ObjectChanges } from './object-changes.ts';

/**
 * INV-18, at each put of an object: what status observed is no later than the generation there is,
 * and no earlier than what was observed before of that uid; the generation begins at 1 and grows by
 * one exactly when the spec changes; uid and time of creation stay for as long as the key lives,
 * and what comes after a deletion has a uid that nothing had before.
 */
export function generationsCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  changes: ObjectChanges,
): Check {
  /** By uid: the key that it lives or lived at. */
  const homes = new Map<string, string>();
  /** By uid and what observed it: the latest generation. */
  const observed = new Map<string, number>();

  function fault(before: Resource | undefined, after: Resource, key: string): string | undefined {
    return (
      (before === undefined ? faultOfNew(after, key) : faultOfNext(before, after)) ??
      faultOfStatus(after)
    );
  }

  function faultOfNew({ metadata }: Resource, key: string): string | undefined {
    const { uid, generation } = metadata;
    const home = homes.get(uid);
    homes.set(uid, key);
    if (home !== undefined) return `has the uid of what was at ${home}`;
    return generation === 1 ? undefined : `begins with generation ${generation}`;
  }

  function faultOfStatus({ metadata, status }: Resource): string | undefined {
    const { uid, generation } = metadata;
    const all = [
      ['status', status?.observedGeneration] as const,
      ...(status?.conditions ?? []).map((each) => [each.type, each.observedGeneration] as const),
    ];
    for (const [what, seen] of all) {
      if (seen === undefined) continue;
      if (seen > generation) return `${what} observed ${seen} of ${generation} generations`;
      const last = observed.get(`${uid} ${what}`) ?? 0;
      if (seen < last) return `${what} observed generation ${seen} after ${last}`;
      observed.set(`${uid} ${what}`, seen);
    }
    return undefined;
  }

  return {
    committed(commit) {
      for (const { key, before, after } of changes.of(commit)) {
        const what = after === undefined ? undefined : fault(before, after, key);
        if (what !== undefined) violated(18, `commit ${commit.revision}: ${key} ${what}`);
      }
    },
  };
}

function faultOfNext(before: Resource, after: Resource): string | undefined {
  const [was, is] = [before.metadata, after.metadata];
  if (was.uid !== is.uid) return `becomes ${is.uid}, and ${was.uid} was never deleted`;
  if (was.creationTimestamp !== is.creationTimestamp) return 'is created a second time';
  if (was.deletionTimestamp !== undefined && is.deletionTimestamp !== was.deletionTimestamp)
    return 'is no longer about to be deleted';
  const grown = isDeepStrictEqual(before.spec, after.spec) ? 0 : 1;
  return is.generation === was.generation + grown
    ? undefined
    : `goes from generation ${was.generation} to ${is.generation}, its spec ${grown === 1 ? 'changed' : 'did not change'}`;
}
