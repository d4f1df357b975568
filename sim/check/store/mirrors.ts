import type { KindName } from '../../../api/kinds.ts';
import { objectKey, recordKey, WORLD_PREFIX } from '../../../runtime/store/keys.ts';
import type { Mirror } from '../../../runtime/store/mirror.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';

export interface MirrorsPorts extends Pick<CheckPorts, 'violated'> {
  /** What each leading dom has in memory, by the name of its process. */
  readonly mirrors: () => Promise<ReadonlyMap<string, Mirror>>;
}

/**
 * INV-10 and INV-11 from the other end: at rest a dom has in memory what the store holds, each key
 * at its last revision and nothing besides, whatever its watches and relists went through.
 */
export function mirrorsCheck({ violated, mirrors }: MirrorsPorts, history: StoreHistory): Check {
  return {
    async rested() {
      const held = new Map(
        history
          .list(WORLD_PREFIX, history.head)
          .map(({ key, modRevision }) => [key, modRevision] as const),
      );
      for (const [process, mirror] of await mirrors()) {
        const shown = shownBy(mirror);
        for (const [key, revision] of held)
          if (shown.get(key) !== revision)
            violated(10, `${process} shows ${key} of ${shown.get(key)}, the store has ${revision}`);
        for (const key of shown.keys())
          if (!held.has(key)) violated(11, `${process} shows ${key}, which is gone`);
      }
    },
  };
}

function shownBy(mirror: Mirror): ReadonlyMap<string, Revision | undefined> {
  const shown = new Map<string, Revision | undefined>();
  for (const change of mirror.everything()) {
    if (change.kind === 'record') {
      const { record, id } = change;
      shown.set(recordKey(record, id), mirror.record(record, id)?.modRevision);
    } else {
      const { kind, metadata } = change.object;
      const key = objectKey({ ...metadata, kind: kind as KindName });
      shown.set(key, BigInt(metadata.resourceVersion));
    }
  }
  return shown;
}
