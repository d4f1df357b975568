import type { HistoryEntry, ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { named } from '../objects/objects.ts';
import { parseName, referenceOf } from '../objects/targets.ts';
import { quotedName } from '../render/output.ts';
import { unifiedDiff } from '../render/unified-diff.ts';
import { renderYaml } from '../render/yaml.ts';

/** Two revisions; left out: the last change, and the one before. */
export interface Span {
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
}

/** The unified diff of what one object was at two revisions; empty: the same. */
export async function diffPast(words: readonly string[], span: Span, cli: Cli): Promise<string> {
  const reference = referenceOf(parseName(words), await cli.namespace());
  const api = await cli.api();
  const entries = await named(reference, () => api.history(reference));
  const name = quotedName(reference.kind, reference.name);
  if (entries.length === 0) throw new CommandError(`error: nothing was ever declared as ${name}`);
  if (span.from !== undefined && span.to !== undefined && span.from > span.to)
    throw new CommandError(`error: --from ${span.from} is later than --to ${span.to}: swap them`);
  const last = entryAt(entries, span.to);
  if (last === undefined) throw tooEarly(name, entries, span.to);
  const first =
    span.from === undefined ? entries[entries.indexOf(last) - 1] : entryAt(entries, span.from);
  if (first === undefined && span.from !== undefined) throw tooEarly(name, entries, span.from);
  return unifiedDiff(side(first, reference), side(last, reference));
}

/** What held at a revision: the last change up to it. */
function entryAt(
  entries: readonly HistoryEntry[],
  revision: bigint | undefined,
): HistoryEntry | undefined {
  return entries.findLast((entry) => revision === undefined || entry.revision <= revision);
}

function side(entry: HistoryEntry | undefined, { kind, name }: ObjectReference) {
  const title = `${kind.toLowerCase()}.b8s.dev/${name}`;
  if (entry === undefined || entry.change === 'deleted')
    return { name: `${title} (${entry === undefined ? 'nothing' : 'deleted'})`, text: '' };
  const { labels, annotations, spec, revision, timeMs } = entry;
  const metadata = {
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
  const text = renderYaml({ ...(Object.keys(metadata).length > 0 && { metadata }), spec });
  return { name: `${title} (revision ${revision}, ${new Date(timeMs).toISOString()})`, text };
}

function tooEarly(
  name: string,
  entries: readonly HistoryEntry[],
  revision: bigint | undefined,
): CommandError {
  const first = entries[0]?.revision;
  return new CommandError(`error: ${name} begins at revision ${first}, after ${revision}`);
}
