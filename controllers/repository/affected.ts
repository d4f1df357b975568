import { isDeepStrictEqual } from 'node:util';
import { condition } from '../../api/object.ts';
import type { Repository } from '../../api/repository.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import { secretsOf } from './commit/secret-entries.ts';
import type { Keepers } from './plan/keepers.ts';

/** `namespace/name` of the Repositories that a change is to be looked at for. */
export function affected(world: World, keepers: Keepers, change: WorldChange): readonly string[] {
  if (change.kind === 'record') {
    keepers.note(change);
    if (!change.record.startsWith('repository')) return [];
    // Of a Repository that is gone, and that never brought anything in, no other record knows the name.
    const called = world.record('repositoryHook', change.id)?.value.name ?? [];
    return [...new Set(keepers.namesOf([change.id.split('/')[0] ?? '']).concat(called))];
  }
  const { object, before } = change;
  if (isKind(object, 'Repository'))
    return [qualifiedName(object.metadata), ...dependents(world, object)];
  const isNews =
    isBeyondStatus(change) ||
    !isDeepStrictEqual(condition(object, 'Ready'), before && condition(before, 'Ready')) ||
    !isDeepStrictEqual(object.metadata, before?.metadata);
  const kept = isNews ? keepers.of(object) : [];
  const secret = isKind(object, 'Secret') && isNews ? readers(world, object.metadata) : [];
  return [...kept, ...secret];
}

/** Those that wait for it, and those that follow the same remote. */
function dependents(world: World, { metadata, spec }: Repository): readonly string[] {
  return world
    .list('Repository')
    .filter(
      (each) =>
        each.spec.url === spec.url ||
        (each.metadata.namespace === metadata.namespace &&
          each.spec.dependsOn.includes(metadata.name)),
    )
    .map((each) => qualifiedName(each.metadata));
}

function readers(
  world: World,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): readonly string[] {
  return world
    .list('Repository')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(({ spec }) => secretsOf(spec).includes(name))
    .map(({ metadata }) => qualifiedName(metadata));
}
