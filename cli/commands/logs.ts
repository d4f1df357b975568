import { type Command, Option } from 'commander';
import type { Site } from '../../api/site.ts';
import { formatLine, type LineFormat } from '../../runtime/access-log/line.ts';
import { readLine } from '../../runtime/access-log/read-line.ts';
import type { LogPiece } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { countOf, durationMsOf } from '../flags.ts';
import { parseName, referenceOf } from '../objects/targets.ts';

interface LogsOptions {
  readonly follow?: true;
  readonly tail?: number;
  readonly since?: number;
  readonly node?: string;
  readonly output?: LineFormat;
  readonly prefix?: true;
}

/** `logs site/NAME [-f] [--tail N] [--since 5m] [--node N] [-o json|combined]` */
export function registerLogs(command: Command, cli: Cli): void {
  command
    .argument('<object...>', 'a site: site/NAME or site NAME')
    .option('-f, --follow', 'go on with every new line, until Ctrl-C')
    .option('--tail <lines>', 'the newest so many of all nodes (20; all with --since)', countOf)
    .option('--since <duration>', 'none that are older: 5m, 2h', durationMsOf)
    .option('--node <name>', 'of this node alone')
    .option('--prefix', 'begin each line with its node')
    .addOption(
      new Option(
        '-o, --output <format>',
        'whatever format the site has; json says more than combined',
      ).choices(['json', 'combined']),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: LogsOptions) => {
      await logs(words, options, cli);
    });
}

const EXAMPLES = `
A site has an access log once its spec says so: accessLog: { format: json }

Examples:
  b8sctl logs site/blog                   the newest 20 lines of all nodes
  b8sctl logs site/blog -f --node fra1    as they come, of one node
  b8sctl logs site/blog --since 5m -o json | jq 'select(.status >= 500)'`;

const TAIL_LINES = 20;
/** What dom gives at once. */
const LINES_MAX = 10_000;

async function logs(words: readonly string[], options: LogsOptions, cli: Cli): Promise<void> {
  const target = parseName(words);
  if (target.kind.kind !== 'Site')
    throw new CommandError(`error: only sites have access logs, not a ${target.kind.kind}`);
  const { follow = false, since = 0, tail, node = '' } = options;
  const reference = referenceOf(target, await cli.namespace());
  const api = await cli.api();
  const site = (await api.get(reference)) as Site;
  if ((site.spec.accessLog?.format ?? 'none') === 'none') throw new CommandError(turnOn(site));
  const linesMax = Math.min(LINES_MAX, tail ?? (since > 0 ? LINES_MAX : TAIL_LINES));
  const { namespace, name } = reference;
  const query = { namespace, name, linesMax, ageMsMax: since, follow, node: node };
  const show = lineShower(`${namespace}/${name}`, options);
  for await (const piece of api.readLogs(query, cli.signal)) {
    cli.terminal.out(piece.lines.map(show).join(''));
    tellTheRest(piece, cli);
  }
}

function turnOn({ metadata: { name, namespace } }: Site): string {
  const patch = '{"spec":{"accessLog":{"format":"json"}}}';
  const where = namespace === undefined || namespace === 'default' ? '' : ` -n ${namespace}`;
  return (
    `error: site/${name} has no access log. It has one from now on with\n` +
    `  b8sctl patch site/${name}${where} -p '${patch}'`
  );
}

function tellTheRest({ dropped, notes }: LogPiece, { terminal }: Cli): void {
  for (const note of notes) terminal.error(`-- ${printable(note)}\n`);
  if (dropped === 1) terminal.error('-- 1 line was dropped: they come faster than they are read\n');
  else if (dropped > 1)
    terminal.error(`-- ${dropped} lines were dropped: they come faster than they are read\n`);
}

function lineShower(
  site: string,
  { output, prefix }: LogsOptions,
): (line: LogPiece['lines'][number]) => string {
  return ({ node, line }) => {
    const entry = output === undefined ? undefined : readLine(line, { node, site });
    const text =
      entry === undefined || output === undefined ? line : formatLine(entry, output).trimEnd();
    return `${prefix === true ? `${node} ` : ''}${printable(text)}\n`;
  };
}
