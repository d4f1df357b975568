import type { Command } from 'commander';
import type { Resource } from '../../api/object.ts';
import type { Api } from '../../runtime/api-client.ts';
import type { Declaration } from '../../runtime/declarations.ts';
import { type Cli, CommandError, errorText, MANAGER } from '../cli.ts';
import { resolveContent } from '../declared-content.ts';
import { diffPast } from '../diff-past.ts';
import { revisionOf } from '../flags.ts';
import { readDeclarations } from '../manifests.ts';
import { unifiedDiff } from '../render/unified-diff.ts';
import { renderYaml } from '../render/yaml.ts';
import { explained } from './apply.ts';

/** As diff(1): 1 says that there are differences. */
const EXIT_DIFFERENT = 1;
const EXIT_TROUBLE = 2;

interface DiffOptions {
  readonly filename?: readonly string[];
  readonly from?: bigint;
  readonly to?: bigint;
  readonly recursive?: true;
  readonly forceConflicts?: true;
}

/** `diff -f FILE|DIR|-`, `diff TYPE/NAME [--from R] [--to R]` */
export function registerDiff(command: Command, cli: Cli): void {
  command
    .argument('[words...]', 'TYPE NAME or TYPE/NAME: what it was beside what it is')
    .option('-f, --filename <path...>', 'files, folders, or - for standard input')
    .option('-R, --recursive', 'also the folders in folders')
    .option('--force-conflicts', 'as if apply took over fields that other managers own')
    .option(
      '--from <revision>',
      'compare from this revision; left out: the change before',
      revisionOf,
    )
    .option('--to <revision>', 'compare to this revision; left out: the last change', revisionOf)
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: DiffOptions) => {
      await diff(words, options, cli);
    });
}

const EXAMPLES = `
Exit codes: 0 nothing would change, 1 something would, 2 an error.

Examples:
  b8sctl diff -f site.yaml
  b8sctl diff -f manifests/ -R
  b8sctl diff site/blog                          what the last change was
  b8sctl diff site/blog --from 1234 --to 1300    see b8sctl history site/blog`;

async function diff(words: readonly string[], options: DiffOptions, cli: Cli): Promise<void> {
  try {
    const different = await diffWanted(words, options, cli);
    if (different) throw new CommandError('', { exitCode: EXIT_DIFFERENT });
  } catch (cause) {
    if (cli.signal.aborted) throw cause;
    if (cause instanceof CommandError && cause.message === '') throw cause;
    // 1 is taken: a script must be able to tell trouble from differences.
    throw new CommandError(errorText(cause), { exitCode: EXIT_TROUBLE, cause });
  }
}

async function diffWanted(
  words: readonly string[],
  options: DiffOptions,
  cli: Cli,
): Promise<boolean> {
  const { filename, from, to } = options;
  const isPast = words.length > 0;
  if (isPast && filename !== undefined)
    throw new CommandError('error: give TYPE/NAME or -f, not both');
  if (!isPast && (from !== undefined || to !== undefined))
    throw new CommandError('error: --from and --to compare one object: b8sctl diff TYPE/NAME');
  if (!isPast && filename === undefined)
    throw new CommandError('error: say what to compare: -f FILE, or TYPE/NAME');
  const text = isPast ? await diffPast(words, { from, to }, cli) : undefined;
  if (text === undefined) return await diffAll({ ...options, filename: filename ?? [] }, cli);
  cli.terminal.out(cli.terminal.colour ? coloured(text) : text);
  return text !== '';
}

async function diffAll(
  options: DiffOptions & { readonly filename: readonly string[] },
  cli: Cli,
): Promise<boolean> {
  const recursive = options.recursive === true;
  const { declarations, problems } = await readDeclarations(cli, options.filename, { recursive });
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  const api = await cli.api();
  let different = false;
  for (const declaration of declarations) {
    const text = await diffOne(api, declaration, { options, cli });
    different ||= text !== '';
    cli.terminal.out(cli.terminal.colour ? coloured(text) : text);
  }
  return different;
}

async function diffOne(
  api: Api,
  declaration: Declaration,
  { options, cli }: { readonly options: DiffOptions; readonly cli: Cli },
): Promise<string> {
  try {
    const content = await resolveContent(declaration, cli);
    const { object, previous } = await api.apply(content?.object ?? declaration.object, {
      manager: MANAGER,
      forceConflicts: options.forceConflicts === true,
      dryRun: true,
    });
    const name = `${object.kind.toLowerCase()}.b8s.dev/${pathOf(object)}`;
    const live = { name: `live/${name}`, text: previous === undefined ? '' : comparable(previous) };
    return unifiedDiff(live, { name: `merged/${name}`, text: comparable(object) });
  } catch (error) {
    throw explained(error, declaration);
  }
}

function pathOf({ metadata }: Resource): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}

/** What a person declares; the rest changes by itself. */
function comparable({ apiVersion, kind, metadata, spec }: Resource): string {
  const { name, namespace, labels, annotations } = metadata;
  return renderYaml({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec });
}

const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const CYAN = '\u001b[36m';
const RESET = '\u001b[0m';

function coloured(text: string): string {
  return text
    .replaceAll(/^-.*$/gm, `${RED}$&${RESET}`)
    .replaceAll(/^\+.*$/gm, `${GREEN}$&${RESET}`)
    .replaceAll(/^@@.*$/gm, `${CYAN}$&${RESET}`);
}
