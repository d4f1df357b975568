import type { Resource } from '../../api/object.ts';
import { formatPath, parsePointer } from '../../api/path.ts';
import type { Api, HistoryEntry } from '../../runtime/api-client.ts';
import { isBelow } from '../../runtime/fields.ts';
import { printable } from '../../runtime/printable.ts';
import { fieldChanges, type PlannedChange, seen } from './planned.ts';
import { shownName } from './render-plan.ts';

/**
 * What has become of an object since a plan was made of it, a line for each field: which, from what
 * to what, by whom and when. Empty: it is as it was.
 */
export async function changedSince(
  api: Api,
  { reference, before }: Pick<PlannedChange, 'reference' | 'before'>,
  live: Resource | undefined,
): Promise<readonly string[]> {
  const name = shownName(reference);
  if (before === undefined && live === undefined) return [];
  const last = (await api.history(reference).catch(() => [])).at(-1);
  if (before === undefined) return [`${name} was not there, and is there now${byWhom(last)}`];
  if (live === undefined) return [`${name} was there, and is gone${byWhom(last)}`];
  if (live.metadata.uid !== before.uid)
    return [`${name} is another object of that name by now${byWhom(last)}`];
  if (live.metadata.deletionTimestamp !== undefined)
    return [`${name} is being deleted since ${live.metadata.deletionTimestamp}`];
  return fieldChanges(before, seen(live)).map(({ pointer, from, to }) => {
    const path = printable(formatPath(parsePointer(pointer)));
    return `${path} of ${name} was ${textOf(from)}, and is ${textOf(to)} now${setBy(live, pointer, last)}`;
  });
}

/** `: set by b8sctl at 2026-…, by admin with "b8sctl edit site/blog"` */
function setBy(live: Resource, pointer: string, last: HistoryEntry | undefined): string {
  const owners = (live.metadata.managedFields ?? []).filter(({ fields }) =>
    fields.some((each) => each === pointer || isBelow(pointer, each) || isBelow(each, pointer)),
  );
  const owner = owners.toSorted((one, other) => (one.time < other.time ? 1 : -1))[0];
  if (owner === undefined) return byWhom(last);
  const { manager, time } = owner;
  const isSame = last?.manager === manager;
  const how = isSame ? `, by ${last.user} with ${JSON.stringify(last.command)}` : '';
  return printable(`: set by ${manager} at ${time}${how}`);
}

function byWhom(last: HistoryEntry | undefined): string {
  if (last === undefined) return '';
  const { user, timeMs, command } = last;
  const time = new Date(timeMs).toISOString();
  return printable(`: ${last.change} by ${user} with ${JSON.stringify(command)} at ${time}`);
}

function textOf(value: unknown): string {
  return value === undefined ? 'nothing' : printable(JSON.stringify(value));
}
