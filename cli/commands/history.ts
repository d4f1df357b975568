import { type Command, Option } from 'commander';
import { formatDuration } from '../../api/duration.ts';
import type { Api, HistoryEntry, ObjectReference } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { changeWords } from '../history/changes.ts';
import { eventsAbout } from '../objects/events.ts';
import { findObject, named } from '../objects/objects.ts';
import { parseName, referenceOf } from '../objects/targets.ts';
import { quotedName } from '../render/output.ts';
import { fitOf, renderTable } from '../render/table.ts';
import { renderJson, renderYaml } from '../render/yaml.ts';

interface HistoryOptions {
  readonly output?: 'wide' | 'json' | 'yaml';
}

/** `history TYPE NAME | TYPE/NAME` */
export function registerHistory(command: Command, cli: Cli): void {
  command
    .argument('<words...>', 'TYPE NAME or TYPE/NAME')
    .addOption(
      new Option('-o, --output <format>', 'wide: with absolute times and managers').choices([
        ...['wide', 'json', 'yaml'],
      ]),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: HistoryOptions) => {
      await history(words, options, cli);
    });
}

const EXAMPLES = `
Lists each change of what was declared, the latest last, also of earlier objects of that name.

Examples:
  b8sctl history site/blog
  b8sctl diff site/blog --from 1234              what has changed since that revision
  b8sctl get site/blog --at 1234 -o yaml         as it was
  b8sctl rollout undo site/blog --to-revision 1234
  b8sctl undelete site/blog`;

async function history(
  words: readonly string[],
  { output }: HistoryOptions,
  cli: Cli,
): Promise<void> {
  const reference = referenceOf(parseName(words), await cli.namespace());
  const api = await cli.api();
  const entries = await named(reference, () => api.history(reference));
  if (entries.length === 0) {
    const name = quotedName(reference.kind, reference.name);
    throw new CommandError(`error: nothing was ever declared as ${name}`);
  }
  const { terminal } = cli;
  if (output === 'json') terminal.out(renderJson(entries.map(plain)));
  else if (output === 'yaml') terminal.out(renderYaml(entries.map(plain)));
  else {
    const wide = output === 'wide';
    const rows = entries.map((entry, index) => row(entry, entries[index - 1], { wide, cli }));
    const header = [
      ...['REVISION', 'GENERATION', wide ? 'TIME' : 'AGE', 'USER'],
      ...[...(wide ? ['MANAGER'] : []), 'CHANGE', 'COMMAND'],
    ];
    // `wide` is for whoever wants all of each.
    terminal.out(renderTable(rows, { header, last: 'wrap', ...(wide ? {} : fitOf(terminal)) }));
    if (reference.kind === 'Repository') await commits(api, reference, { wide, cli });
  }
}

/** What became of its commits, as far as events still tell. */
async function commits(
  api: Api,
  reference: ObjectReference,
  { wide, cli }: { readonly wide: boolean; readonly cli: Cli },
): Promise<void> {
  const { terminal, clock } = cli;
  const repository = await findObject(api, reference);
  if (repository === undefined) return;
  const rows = (await eventsAbout(api, repository)).flatMap(({ spec }) => {
    const commit = /\bcommit ([0-9a-f]{7})/.exec(spec.message)?.[1];
    if (commit === undefined) return [];
    const time = wide ? spec.lastTime : formatDuration(clock.nowMs() - Date.parse(spec.lastTime));
    return [[commit, spec.reason, time, printable(spec.message)]];
  });
  if (rows.length === 0) return;
  const header = ['COMMIT', 'OUTCOME', wide ? 'TIME' : 'AGE', 'MESSAGE'];
  terminal.out(
    `\n${renderTable(rows, { header, last: 'wrap', ...(wide ? {} : fitOf(terminal)) })}`,
  );
}

/** Of a Repository's change its commit, author and subject; as Git does, with seven digits of it. */
function shortCommand(command: string): string {
  return command.replace(/^(commit|roll back) ([0-9a-f]{7})[0-9a-f]{33}(?= of )/, '$1 $2');
}

function row(
  entry: HistoryEntry,
  before: HistoryEntry | undefined,
  { wide, cli }: { readonly wide: boolean; readonly cli: Cli },
): readonly string[] {
  const { revision, generation, timeMs, user, manager, command } = entry;
  return [
    String(revision),
    String(generation),
    wide ? new Date(timeMs).toISOString() : formatDuration(cli.clock.nowMs() - timeMs),
    user,
    ...(wide ? [manager] : []),
    changeWords(entry, before),
    wide ? command : shortCommand(command),
  ];
}

/** JSON knows no big integers; a revision is text, as metadata.resourceVersion is. */
function plain(entry: HistoryEntry): unknown {
  return { ...entry, revision: String(entry.revision), time: new Date(entry.timeMs).toISOString() };
}
