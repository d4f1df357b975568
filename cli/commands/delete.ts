import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Resource } from '../../api/object.ts';
import { type Api, ApiError, type ObjectReference } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { durationOption, switchOf } from '../flags.ts';
import { type GitConsent, mindGit } from '../history/git-owner.ts';
import { chosenReferences } from '../objects/chosen.ts';
import { declaredReferences, type FilesNamed } from '../objects/declared-references.ts';
import { fetchObject, findObject, forEachOrFail, named } from '../objects/objects.ts';
import { CASCADES, type Cascade, ownedBy, refuseOrphans, waitForOwned } from '../objects/owned.ts';
import { parseTargets } from '../objects/targets.ts';
import { waitFor } from '../objects/watching.ts';
import { qualifiedName } from '../render/output.ts';

const TIMEOUT_MS = 300_000;

interface DeleteOptions extends GitConsent, FilesNamed {
  readonly selector?: string;
  readonly all?: true;
  readonly yes?: true;
  readonly interactive?: true;
  readonly dryRun: 'none' | 'client' | 'server';
  readonly ignoreNotFound?: true;
  readonly cascade: Cascade;
  readonly gracePeriod: number;
  readonly wait: boolean;
  readonly timeout: number;
}

/** `delete TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | TYPE --all | -f FILE` */
export function registerDelete(command: Command, cli: Cli): void {
  command
    .argument('[type]', 'a kind, or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .option(
      '-f, --filename <path...>',
      'the objects of these files, folders, https URLs, or - for stdin',
    )
    .option('-R, --recursive', 'with -f: also the folders in folders')
    .option('-l, --selector <selector>', 'all with these labels: app=blog,tier!=test')
    .option('--all', 'all of the kind in the namespace')
    .option('-y, --yes', 'do not ask')
    .option('-i, --interactive', 'ask before each object')
    .addOption(
      new Option('--dry-run <where>', 'delete nothing: only say what would be, or ask dom, too')
        .choices(['none', 'client', 'server'])
        .default('none'),
    )
    .option('--ignore-not-found', 'it is no error when there is no such object')
    .addOption(
      new Option(
        '--cascade <how>',
        'what it owns: dom collects it, and with foreground that is waited for',
      )
        .choices(CASCADES)
        .default('background'),
    )
    .option('--grace-period <seconds>', '0 or -1: nothing of b8s ends slowly', gracePeriodOf, -1)
    .option(
      '--force',
      'neither ask nor wait, also what a Repository makes again; finalizers run all the same',
    )
    .option('--suspend', 'suspend the Repository that declares it before')
    .option('--wait [switch]', 'wait until they are gone, their finalizers done', switchOf, true)
    .addOption(durationOption('how long to wait at most', TIMEOUT_MS))
    .addHelpText('after', EXAMPLES)
    .action(async (type: string | undefined, names: readonly string[], options: DeleteOptions) => {
      await deleteObjects(type === undefined ? [] : [type, ...names], options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl delete site blog
  b8sctl delete site/blog zone/example-com --wait=false
  b8sctl delete -f site.yaml
  b8sctl delete sites -l app=blog
  b8sctl delete sites --all --yes
  b8sctl delete site blog --cascade=foreground   wait for its certificates and releases, too
  b8sctl delete sites --all --dry-run=client     say what would be deleted
  b8sctl undelete site/blog                      bring one back`;

/** As kubectl has it: -1 is the kind's own, 0 at once. More would be for processes, which no kind has. */
function gracePeriodOf(text: string): number {
  if (text === '0' || text === '-1') return Number(text);
  throw new InvalidArgumentError(
    'No kind of b8s runs processes that could end slowly: leave it out. Nodes are taken out of service with b8sctl drain.',
  );
}

async function deleteObjects(
  words: readonly string[],
  given: DeleteOptions,
  cli: Cli,
): Promise<void> {
  const options = given.force === true ? forced(given) : given;
  if (options.cascade === 'foreground' && !options.wait)
    throw new CommandError('error: --cascade=foreground waits: not with --wait=false or --force');
  const api = await cli.api();
  const doomed = await findDoomed(api, words, options, cli);
  if (doomed.length === 0) {
    cli.terminal.error('No resources found\n');
    return;
  }
  if (options.dryRun === 'none') await confirm(doomed, options, cli);
  await forEachOrFail(cli, doomed, async (reference) => {
    if (options.interactive === true && !(await isMeant(reference, cli))) return;
    if (options.dryRun === 'client') {
      if ((await findObject(api, reference)) !== undefined)
        sayDeleted(reference, ' (client dry run)', cli);
      return;
    }
    const endMs = cli.clock.monotonicMs() + options.timeout;
    const deleted = await deleteOne(api, reference, options, cli);
    if (deleted === undefined) return;
    if (options.dryRun === 'server') {
      sayDeleted(reference, ' (server dry run)', cli);
      return;
    }
    // Told before the wait: someone who interrupts it must know that the deletion was asked for.
    sayDeleted(reference, '', cli);
    const { object, finalizing, owned } = deleted;
    if (options.wait && finalizing) await waitUntilGone(api, object, options, cli);
    if (options.cascade === 'foreground')
      await waitForOwned(api, owned, { cli, ownerUid: object.metadata.uid, endMs });
    if (options.force === true && finalizing) warnOfFinalizers(object, cli);
  });
}

function forced(options: DeleteOptions): DeleteOptions {
  if (options.interactive === true)
    throw new CommandError('error: --force does not ask, --interactive does: give one of them');
  return { ...options, yes: true, wait: false };
}

/** Whoever forces must not think that nothing is left. */
function warnOfFinalizers(object: Resource, { terminal }: Cli): void {
  const { finalizers = [] } = object.metadata;
  const left = `${qualifiedName(object)} goes when its finalizers are done: ${finalizers.join(', ')}`;
  terminal.error(`Warning: ${printable(left)}\n`);
}

function sayDeleted({ kind, name }: ObjectReference, how: string, cli: Cli): void {
  cli.terminal.out(`${kind.toLowerCase()}.b8s.dev "${printable(name)}" deleted${how}\n`);
}

async function isMeant({ kind, name }: ObjectReference, { terminal }: Cli): Promise<boolean> {
  if (!terminal.canAsk)
    throw new CommandError('error: --interactive needs a terminal; say --yes where there is none');
  return await terminal.confirm(`Delete ${kind.toLowerCase()}.b8s.dev/${printable(name)}? [y/N] `);
}

async function findDoomed(
  api: Api,
  words: readonly string[],
  options: DeleteOptions,
  cli: Cli,
): Promise<readonly ObjectReference[]> {
  const namespace = await cli.namespace();
  // In the opposite order of apply: what refers to others goes first.
  if (options.filename !== undefined)
    return (await declaredReferences(cli, words, options)).toReversed();
  if (words.length === 0)
    throw new CommandError('error: name what to delete: TYPE NAME, or -f FILE');
  const targets = parseTargets(words);
  const { selector, all } = options;
  return await chosenReferences(api, targets, { namespace, selector, all });
}

/** Several at once is easily more than was meant. */
async function confirm(
  doomed: readonly ObjectReference[],
  options: DeleteOptions,
  cli: Cli,
): Promise<void> {
  if (options.interactive === true) return;
  if (options.yes === true || (doomed.length === 1 && options.all !== true)) return;
  const { terminal } = cli;
  if (!terminal.canAsk) {
    if (options.all !== true) return;
    throw new CommandError('error: --all needs --yes where nobody can be asked');
  }
  const names = doomed.map(
    ({ kind, name }) => `  ${kind.toLowerCase()}.b8s.dev/${printable(name)}`,
  );
  terminal.error(`${names.join('\n')}\n`);
  if (await terminal.confirm(`Delete these ${doomed.length} objects? [y/N] `)) return;
  throw new CommandError('Nothing was deleted.');
}

interface Deleted {
  readonly object: Resource;
  readonly finalizing: boolean;
  readonly owned: readonly Resource[];
}

async function deleteOne(
  api: Api,
  reference: ObjectReference,
  options: DeleteOptions,
  cli: Cli,
): Promise<Deleted | undefined> {
  try {
    // By uid: were it replaced between the two calls, the new object is another one.
    const found = await fetchObject(api, reference);
    // Read before, for dom may be quick to collect it.
    const owned = options.cascade === 'background' ? [] : await ownedBy(api, found);
    if (options.cascade === 'orphan') refuseOrphans(found, owned);
    // A dry run suspends nothing, and is told what would become of it.
    const consent = options.dryRun === 'none' ? options : { force: true as const };
    await mindGit(api, { live: found, wanted: undefined }, { consent, cli });
    const how = { uid: found.metadata.uid, dryRun: options.dryRun === 'server' };
    return { ...(await named(reference, () => api.delete(reference, how))), owned };
  } catch (error) {
    const isGone = error instanceof ApiError && error.reason === 'NotFound';
    if (isGone && options.ignoreNotFound === true) return undefined;
    throw error;
  }
}

async function waitUntilGone(
  api: Api,
  { kind, metadata }: Resource,
  { timeout }: DeleteOptions,
  cli: Cli,
): Promise<void> {
  const reference = { kind, namespace: metadata.namespace ?? '', name: metadata.name };
  let finalizers = metadata.finalizers ?? [];
  const isGone = (object: Resource | undefined) => {
    finalizers = object?.metadata.finalizers ?? [];
    return object === undefined || object.metadata.uid !== metadata.uid;
  };
  const waited = await waitFor(api, reference, isGone, { ...cli, timeoutMs: timeout });
  if (waited.kind === 'done') return;
  const left = finalizers.length === 0 ? '' : `; finalizers left: ${finalizers.join(', ')}`;
  throw new CommandError(
    `error: timed out waiting for ${qualifiedName({ kind, metadata })} to be gone${left}`,
  );
}
