import type { Operation, Writer } from '../../../runtime/store/writer.ts';
import type { Facts } from '../facts.ts';
import { AUTHOR, idOf } from './steps.ts';

/** Records forgotten in one transaction. */
const FORGET_MAX = 90;

/** What would have undone an attempt that is decided by now. */
export async function forgetUndo(
  writer: Pick<Writer, 'commit'>,
  { repository, undo }: Pick<Facts, 'repository' | 'undo'>,
): Promise<'done' | 'conflict'> {
  const operations = [...undo].map(([key, { modRevision }]): Operation => {
    const id = idOf(repository, key);
    return { kind: 'record', record: 'repositoryUndo', id, value: undefined, modRevision };
  });
  for (let start = 0; start < operations.length; start += FORGET_MAX) {
    const part = operations.slice(start, start + FORGET_MAX);
    const { outcome } = await writer.commit(part, AUTHOR);
    if (outcome === 'conflict') return 'conflict';
  }
  return 'done';
}
