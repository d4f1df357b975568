import type { Command } from 'commander';
import type { Resource } from '../../api/object.ts';
import type { Api } from '../../runtime/api-client.ts';
import type { Declaration } from '../../runtime/declarations.ts';
import { type Cli, CommandError, errorText, MANAGER } from '../cli.ts';
import { resolveContent } from '../declared-content.ts';
import { readDeclarations } from '../manifests.ts';
import { unifiedDiff } from '../render/unified-diff.ts';
import { renderYaml } from '../render/yaml.ts';
import { explained } from './apply.ts';

/** As diff(1): 1 says that there are differences. */
const EXIT_DIFFERENT = 1;
const EXIT_TROUBLE = 2;

interface DiffOptions {
  readonly filename: readonly string[];
  readonly recursive?: true;
  readonly forceConflicts?: true;
}

/** `diff -f FILE|DIR|-` */
export function registerDiff(command: Command, cli: Cli): void {
  command
    .requiredOption('-f, --filename <path...>', 'files, folders, or - for standard input')
    .option('-R, --recursive', 'also the folders in folders')
    .option('--force-conflicts', 'as if apply took over fields that other managers own')
    .addHelpText('after', EXAMPLES)
    .action(async (options: DiffOptions) => {
      await diff(options, cli);
    });
}

const EXAMPLES = `
Exit codes: 0 nothing would change, 1 something would, 2 an error.

Examples:
  b8sctl diff -f site.yaml
  b8sctl diff -f manifests/ -R`;

async function diff(options: DiffOptions, cli: Cli): Promise<void> {
  try {
    const different = await diffAll(options, cli);
    if (different) throw new CommandError('', { exitCode: EXIT_DIFFERENT });
  } catch (cause) {
    if (cli.signal.aborted) throw cause;
    if (cause instanceof CommandError && cause.message === '') throw cause;
    // 1 is taken: a script must be able to tell trouble from differences.
    throw new CommandError(errorText(cause), { exitCode: EXIT_TROUBLE, cause });
  }
}

async function diffAll(options: DiffOptions, cli: Cli): Promise<boolean> {
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
