import { formatPath, parsePointer } from '../../api/path.ts';
import type { HistoryEntry } from '../../runtime/api-client.ts';
import { leavesOf, sameValue } from '../../runtime/fields.ts';

/** How many changed fields are named; of more, how many there are. */
const FIELDS_MAX = 3;
/** Characters of a value in a few words. */
const VALUE_LENGTH_MAX = 24;

/**
 * What an entry changed against the one before of the same object, in a few words:
 * "ttl 30 → 60, hosts". Of the first and the last, what became of the object.
 */
export function changeWords(entry: HistoryEntry, before: HistoryEntry | undefined): string {
  if (entry.change === 'deleted') return 'deleted';
  if (before === undefined || before.uid !== entry.uid) return 'created';
  const [from, to] = [leavesOf(before), leavesOf(entry)];
  const pointers = [...new Set([...from.keys(), ...to.keys()])].filter(
    (pointer) => !sameValue(from.get(pointer), to.get(pointer)),
  );
  // Of a Secret dom shows no values, also not that they changed.
  if (pointers.length === 0) return 'values that are not shown';
  const words = pointers
    .toSorted()
    .slice(0, FIELDS_MAX)
    .map((pointer) => fieldWords(pointer, from.get(pointer), to.get(pointer)));
  const more = pointers.length - FIELDS_MAX;
  return [...words, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function fieldWords(pointer: string, from: unknown, to: unknown): string {
  const path = formatPath(parsePointer(pointer)).replace(/^spec\./, '');
  if (from === undefined) return `${path} = ${valueWords(to)}`;
  if (to === undefined) return `${path} removed`;
  return `${path} ${valueWords(from)} → ${valueWords(to)}`;
}

function valueWords(value: unknown): string {
  const text =
    typeof value === 'string' ? value.replace(/^(sha256-.{12}).*/, '$1') : JSON.stringify(value);
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}
