import type { Command } from 'commander';
import { type Cli, CommandError, MANAGER } from '../cli.ts';
import { type PlanSource, renderPlan } from '../plan/plan-file.ts';
import { type FileSource, planFiles } from '../plan/plan-files.ts';
import { commitWords, planRepository, sourceOf } from '../plan/plan-repository.ts';
import type { PlannedChange } from '../plan/planned.ts';
import { planText } from '../plan/render-plan.ts';

/** Flags of `plan` and `diff` that say what is looked at. */
export interface WhatOptions {
  readonly filename?: readonly string[];
  readonly recursive?: true;
  readonly fieldManager?: string;
  readonly applyset?: string;
  readonly prune?: true;
  readonly repository?: string;
  readonly ref?: string;
  readonly forceConflicts?: true;
  readonly allowMassDeletion?: true;
}

interface PlanOptions extends WhatOptions {
  readonly output?: string;
}

/** `plan -f DIR|--repository NAME [--ref REF] [-o plan.json]` */
export function registerPlan(command: Command, cli: Cli): void {
  withWhat(command)
    .option('-o, --output <file>', 'write the plan there, for b8sctl apply --plan')
    .addHelpText('after', EXAMPLES)
    .action(async (options: PlanOptions) => {
      await plan(options, cli);
    });
}

const EXAMPLES = `
It changes nothing, and the role viewer is enough. A plan file holds no values of Secrets: apply
--plan reads them, and the content of Sites, from the same paths again.

Examples:
  b8sctl plan -f manifests/ -R
  b8sctl plan -f manifests/ -R --prune --applyset web -o plan.json && b8sctl apply --plan plan.json
  b8sctl plan --repository infra --ref my-change
  b8sctl plan --repository infra --ref 1c0d8a0e5b3f4f0b9a6d7c8e9f00112233445566 -o plan.json`;

/** Adds the flags that `plan` and `diff` share. */
export function withWhat(command: Command): Command {
  return command
    .option('-f, --filename <path...>', 'files, folders, https URLs, or - for standard input')
    .option('-R, --recursive', 'also the folders in folders')
    .option('--field-manager <name>', 'with -f: as apply with this one')
    .option('--applyset <name>', 'with -f: as apply with this set')
    .option('--prune', 'with -f: as apply, which deletes what of the set is in no file any more')
    .option('--repository <name>', 'what dom would do for a commit of this Repository')
    .option('--ref <ref>', 'with --repository: a branch, refs/tags/NAME, or 40 hex digits')
    .option('--force-conflicts', 'as if fields that other managers own were taken over')
    .option('--allow-mass-deletion', 'as if more than half may be deleted');
}

async function plan(options: PlanOptions, cli: Cli): Promise<void> {
  const { changes, from } = await changesOf(options, cli);
  cli.terminal.out(planText(changes));
  if (options.output === undefined) return;
  const made = new Date(cli.clock.nowMs()).toISOString();
  await cli.files.writeText(options.output, await renderPlan({ made, from, changes }, cli));
  cli.terminal.error(`To do exactly this: b8sctl apply --plan ${options.output}\n`);
}

interface Found {
  readonly changes: readonly PlannedChange[];
  readonly from: PlanSource;
}

/** Throws where apply would fail: half a plan is none. */
async function changesOf(options: WhatOptions, cli: Cli): Promise<Found> {
  const { repository, ref } = options;
  refuseMixed(options);
  if (repository !== undefined) {
    const asked = { ...options, repository };
    const found = await planRepository(asked, cli);
    cli.terminal.out(`${commitWords(found)}:\n`);
    for (const note of found.notes) cli.terminal.error(`${note}\n`);
    if (found.problem !== undefined) throw new CommandError(found.problem);
    return { changes: found.changes, from: { kind: 'repository', ...sourceOf(found, asked) } };
  }
  if (ref !== undefined) throw new CommandError('error: --ref needs --repository NAME');
  const source = fileSource(options);
  const { changes, errors, notes } = await planFiles(source, cli);
  for (const note of notes) cli.terminal.error(`${note}\n`);
  if (errors.length > 0) throw new CommandError(errors.join('\n'));
  return { changes, from: { kind: 'files', ...source } };
}

export function refuseMixed({ filename, repository, ...rest }: WhatOptions): void {
  if (filename === undefined && repository === undefined)
    throw new CommandError('error: say what to look at: -f FILE, or --repository NAME');
  if (filename !== undefined && repository !== undefined)
    throw new CommandError('error: give -f or --repository, not both');
  const isOfFiles = rest.prune === true || rest.applyset !== undefined;
  if (repository !== undefined && isOfFiles)
    throw new CommandError('error: --prune and --applyset go with -f; a Repository has its own');
}

/** What `apply` would be told. */
export function fileSource(options: WhatOptions): FileSource {
  return {
    filename: options.filename ?? [],
    recursive: options.recursive === true,
    fieldManager: options.fieldManager ?? MANAGER,
    forceConflicts: options.forceConflicts === true,
    applyset: options.applyset,
    prune: options.prune === true,
    allowMassDeletion: options.allowMassDeletion === true,
  };
}
