import { type Command, Option } from 'commander';
import { formatViolation } from '../../api/manifest.ts';
import {
  type Api,
  ApiError,
  type ApplyOptions as ApplyOptionsOfApi,
  type DeclaredObject,
} from '../../runtime/api-client.ts';
import { type Declaration, invalidText } from '../../runtime/declarations.ts';
import { type Cli, CommandError, errorText, MANAGER } from '../cli.ts';
import { publish, resolveContent } from '../content/declared-content.ts';
import { durationMsOf } from '../flags.ts';
import { mindGit } from '../history/git-owner.ts';
import { readDeclarations } from '../objects/manifests.ts';
import { forEachOrFail } from '../objects/objects.ts';
import { prune, withSet } from '../objects/prune.ts';
import { qualifiedName } from '../render/output.ts';

interface ApplyOptions {
  readonly filename: readonly string[];
  readonly recursive?: true;
  readonly dryRun: 'none' | 'client' | 'server';
  readonly forceConflicts?: true;
  readonly fieldManager: string;
  readonly applyset?: string;
  readonly prune?: true;
  readonly allowMassDeletion?: true;
  readonly serverSide?: true;
  /** `false`: --no-cache. */
  readonly cache: boolean;
}

interface ApplyFlags extends Omit<ApplyOptions, 'filename'> {
  readonly filename?: readonly string[];
  readonly plan?: string;
  readonly timeout?: number;
}

const PLAN_TIMEOUT_MS = 10 * 60_000;

/** `apply -f FILE|DIR|URL|-`, `apply --plan FILE` */
export function registerApply(command: Command, cli: Cli): void {
  command
    .option('-f, --filename <path...>', 'files, folders, https URLs, or - for standard input')
    .addOption(
      new Option(
        '--plan <file>',
        'do what this plan says, and nothing else: see b8sctl plan',
      ).conflicts(['filename', 'prune', 'applyset', 'dryRun', 'forceConflicts', 'recursive']),
    )
    .option(
      '--timeout <duration>',
      'with --plan of a Repository: how long to wait (default: 10m)',
      durationMsOf,
    )
    .option('-R, --recursive', 'also the folders in folders')
    .addOption(
      new Option('--dry-run <where>', 'change nothing: check here, or ask dom what would happen')
        .choices(['none', 'client', 'server'])
        .default('none'),
    )
    .option('--force-conflicts', 'take over fields that other managers own')
    .option('--field-manager <name>', 'who owns the fields from now on', MANAGER)
    .option('--applyset <name>', 'mark the objects as of this set: its inventory, for --prune')
    .option('--prune', 'delete what was applied with the set before and is in no file any more')
    .option('--allow-mass-deletion', 'with --prune: also more than half of the set')
    .option('--server-side', 'as it always is: dom merges, and knows who owns which field')
    .option('--no-cache', 'read every file of content, also those that seem to be as they were')
    .addHelpText('after', EXAMPLES)
    .action(async ({ filename, plan, timeout, ...options }: ApplyFlags) => {
      if (plan !== undefined) return await applyPlan(plan, timeout, cli);
      if (filename === undefined)
        throw new CommandError('error: say what to apply: -f FILE, or --plan FILE');
      await apply({ ...options, filename }, cli);
    });
}

const EXAMPLES = `
A Site's content.path names a folder beside the manifest, content.archive a .tar, .tar.gz, .tar.zst
or .zip file there, or an image (oci://registry/name:tag): apply uploads what dom lacks of it.

Examples:
  b8sctl apply -f site.yaml
  b8sctl apply -f manifests/ -R
  b8sctl apply -f site.yaml --dry-run=server    say what would change
  b8sctl apply -f manifests/ -R --prune --applyset web
  cat site.yaml | b8sctl apply -f -
  b8sctl apply -f https://example.com/site.yaml

  b8sctl plan -f manifests/ -R -o plan.json && b8sctl apply --plan plan.json

What has the annotation b8s.dev/prune: disabled is never pruned.`;

async function apply(options: ApplyOptions, cli: Cli): Promise<void> {
  const recursive = options.recursive === true;
  const { applyset } = options;
  if (options.prune === true && applyset === undefined)
    throw new CommandError('error: --prune needs the name of a set: --applyset NAME');
  const { declarations: read, problems } = await readDeclarations(cli, options.filename, {
    recursive,
  });
  const declarations = applyset === undefined ? read : withSet(read, applyset);
  for (const problem of problems) cli.terminal.error(`${problem}\n`);
  if (options.dryRun === 'client') {
    for (const { object } of declarations) {
      cli.terminal.out(`${qualifiedName(object)} is valid (client dry run)\n`);
    }
  } else if (declarations.length > 0) {
    const api = await cli.api();
    await forEachOrFail(cli, declarations, async (declaration) => {
      await applyOne(api, declaration, { options, cli });
    });
  }
  // What cannot be read may be what is missing: nothing is pruned then.
  if (problems.length > 0) throw new CommandError('');
  if (options.prune !== true || applyset === undefined || options.dryRun === 'client') return;
  await prune(await cli.api(), declarations, {
    ...{ set: applyset, dryRun: options.dryRun === 'server', cli },
    allowMassDeletion: options.allowMassDeletion === true,
  });
}

async function applyPlan(path: string, timeoutMs = PLAN_TIMEOUT_MS, cli: Cli): Promise<void> {
  const { readPlan } = await import('../plan/plan-file.ts');
  const plan = await readPlan(path, cli);
  const { from } = plan;
  if (from.kind === 'files') {
    const { applyFilePlan } = await import('../plan/apply-plan.ts');
    return await applyFilePlan(plan, from, cli);
  }
  const { applyRepositoryPlan } = await import('../plan/plan-repository.ts');
  await applyRepositoryPlan(plan, from, { cli, timeoutMs });
}

async function applyOne(
  api: Api,
  declaration: Declaration,
  { options, cli }: { readonly options: ApplyOptions; readonly cli: Cli },
): Promise<void> {
  const dryRun = options.dryRun === 'server';
  try {
    const memory = options.cache ? 'cache' : 'none';
    const content = await resolveContent(declaration, cli, { memory });
    const object = content?.object ?? declaration.object;
    if (content !== undefined && !dryRun) {
      const { namespace = '', name } = object.metadata;
      await publish(api, content.release, { site: { namespace, name }, cli });
    }
    const how = {
      manager: options.fieldManager,
      forceConflicts: options.forceConflicts === true,
    };
    if (how.forceConflicts && !dryRun) await tellOfGit(api, { object, how, cli });
    const { outcome, warnings } = await api.apply(object, { ...how, dryRun });
    for (const warning of warnings) cli.terminal.error(`Warning: ${warning}\n`);
    cli.terminal.out(`${qualifiedName(object)} ${outcome}${dryRun ? ' (server dry run)' : ''}\n`);
  } catch (error) {
    throw explained(error, declaration);
  }
}

interface Forced {
  readonly object: DeclaredObject;
  readonly how: ApplyOptionsOfApi;
  readonly cli: Cli;
}

/** What is taken over from a Repository, it takes back: that is said before. */
async function tellOfGit(api: Api, { object, how, cli }: Forced): Promise<void> {
  const { previous: live, object: wanted } = await api.apply(object, { ...how, dryRun: true });
  if (live !== undefined) await mindGit(api, { live, wanted }, { consent: { force: true }, cli });
}

/** What the server refuses, told with the file and line that it was written in. */
export function explained(error: unknown, { object, document }: Declaration): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.reason === 'Invalid' && error.violations.length > 0) {
    const problems = error.violations.map((each) => formatViolation(each, document));
    return new CommandError(`error: ${invalidText(document, problems)}`, { cause: error });
  }
  if (error.reason === 'Conflict' && error.clashes.length > 0) {
    const clashes = error.clashes.map(
      ({ path, manager }) =>
        `${path} is owned by ${manager} (${document.source}:${document.locate(path)})`,
    );
    const head = `error: ${qualifiedName(object)}: other managers own fields that this file sets:`;
    const mend = 'Leave the fields out, or take them over with --force-conflicts.';
    const isGit = error.clashes.some(({ manager }) => manager.startsWith('repository/'));
    const git = 'A Repository puts back what it declares: change that in Git, or suspend it first.';
    const lines = [head, ...clashes, mend, ...(isGit ? [git] : [])];
    return new CommandError(lines.join('\n  '), { cause: error });
  }
  if (['Unavailable', 'Unauthorized'].includes(error.reason)) return error;
  const line = document.locate('');
  const text = `${errorText(error)} (${qualifiedName(object)}, ${document.source}:${line})`;
  return new CommandError(text, { cause: error });
}
