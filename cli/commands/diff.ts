import type { Command } from 'commander';
import { type Cli, CommandError, errorText } from '../cli.ts';
import { revisionOf } from '../flags.ts';
import { diffPast } from '../history/diff-past.ts';
import { type FilePlan, planFiles } from '../plan/plan-files.ts';
import { planRepository } from '../plan/plan-repository.ts';
import { diffText } from '../plan/render-plan.ts';
import { fileSource, refuseMixed, type WhatOptions, withWhat } from './plan.ts';

/** As diff(1): 1 says that there are differences. */
const EXIT_DIFFERENT = 1;
const EXIT_TROUBLE = 2;

interface DiffOptions extends WhatOptions {
  readonly from?: bigint;
  readonly to?: bigint;
}

/** `diff -f FILE|DIR|-`, `diff --repository NAME [--ref REF]`, `diff TYPE/NAME [--from R] [--to R]` */
export function registerDiff(command: Command, cli: Cli): void {
  withWhat(command)
    .argument('[words...]', 'TYPE NAME or TYPE/NAME: what it was beside what it is')
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
Exit codes: 0 nothing would change, 1 something would, 2 an error. It changes nothing, and the role
viewer is enough; values of Secrets are not shown.

Examples:
  b8sctl diff -f site.yaml
  b8sctl diff -f manifests/ -R --prune --applyset web
  b8sctl diff --repository infra --ref my-change
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
  const { filename, repository, from, to } = options;
  const isPast = words.length > 0;
  if (isPast && (filename !== undefined || repository !== undefined))
    throw new CommandError('error: give TYPE/NAME, -f or --repository, not several');
  if (!isPast && (from !== undefined || to !== undefined))
    throw new CommandError('error: --from and --to compare one object: b8sctl diff TYPE/NAME');
  if (!isPast && filename === undefined && repository === undefined)
    throw new CommandError('error: say what to compare: -f FILE, --repository NAME, or TYPE/NAME');
  if (!isPast) return await diffPlanned(options, cli);
  const text = await diffPast(words, { from, to }, cli);
  show(text, cli);
  return text !== '';
}

/** All that would be done is shown, also where something else would fail. */
async function diffPlanned(options: WhatOptions, cli: Cli): Promise<boolean> {
  refuseMixed(options);
  const { changes, notes, errors } = await plannedFor(options, cli);
  for (const note of notes) cli.terminal.error(`${note}\n`);
  for (const change of changes) show(diffText(change), cli);
  if (errors.length > 0) throw new CommandError(errors.join('\n'));
  return changes.length > 0;
}

async function plannedFor(options: WhatOptions, cli: Cli): Promise<FilePlan> {
  const { repository } = options;
  if (repository === undefined) {
    if (options.ref !== undefined) throw new CommandError('error: --ref needs --repository NAME');
    return await planFiles(fileSource(options), cli);
  }
  const { changes, notes, problem } = await planRepository({ ...options, repository }, cli);
  return { changes, notes, errors: problem === undefined ? [] : [problem] };
}

function show(text: string, cli: Cli): void {
  cli.terminal.out(cli.terminal.colour ? coloured(text) : text);
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
