import type { Repository } from '../../api/repository.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Operation } from '../../runtime/store/writer.ts';

/** Records of this name's earlier Repositories. What they kept stays, and is nobody's. */
export function leftoversOf(
  world: World,
  name: string,
  repository: Repository | undefined,
): readonly Operation[] {
  const calls = world
    .records('repositoryHook')
    .filter(([id, { value }]) => value.name === name && id !== repository?.metadata.uid)
    .map(([id, { modRevision }]): Operation => {
      return { kind: 'record', record: 'repositoryHook', id, value: undefined, modRevision };
    });
  const gone = world
    .records('repository')
    .filter(([id, { value }]) => value.name === name && id !== repository?.metadata.uid)
    .map(([id]) => id);
  const left = gone.flatMap((uid): readonly Operation[] => {
    const objects = (['repositoryUndo', 'repositoryObject'] as const).flatMap((record) =>
      world
        .records(record)
        .filter(([id]) => id.startsWith(`${uid}/`))
        .map(([id, { modRevision }]): Operation => {
          return { kind: 'record', record, id, value: undefined, modRevision };
        }),
    );
    // The record itself goes last: by it the others are found.
    const last = { kind: 'record', record: 'repository', id: uid, value: undefined } as const;
    return objects.length > 0 ? objects : [{ ...last, modRevision: undefined }];
  });
  return [...calls, ...left];
}
