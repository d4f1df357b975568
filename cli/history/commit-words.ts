import type { Api, HistoryEntry, Moment, ObjectReference } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';

/**
 * The commit that a change came from, as history has it: `commit 1c0d8a… of default/infra by Ada:
 * Mend the blog`. Undefined: it was no Repository's.
 */
export function commitWords({ manager, command }: HistoryEntry): string | undefined {
  const isGit = manager.startsWith('repository/') && /^(commit|roll back) /.test(command);
  return isGit ? printable(command) : undefined;
}

/** Which commit made an object what it was at a moment; undefined: none did. */
export async function commitAt(
  api: Api,
  reference: ObjectReference,
  moment: Moment,
): Promise<string | undefined> {
  const entries = await api.history(reference).catch(() => []);
  const entry = entries.findLast(({ revision, timeMs }) =>
    'revision' in moment ? revision <= moment.revision : timeMs <= moment.timeMs,
  );
  return entry && commitWords(entry);
}
