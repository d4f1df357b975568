import { type Command, Option } from 'commander';
import type { Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/object.ts';
import { type Api, ApiError, type ObjectReference } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { durationMsOf, switchOf } from '../flags.ts';
import { readDeclarations } from '../manifests.ts';
import { fetchObject, findObject, forEachOrFail, named } from '../objects.ts';
import { qualifiedName } from '../render/output.ts';
import { parseTargets, referenceOf, referenceTo } from '../targets.ts';
import { waitFor } from '../watching.ts';

const TIMEOUT_MS = 300_000;

interface DeleteOptions {
  readonly filename?: readonly string[];
  readonly recursive?: true;
  readonly selector?: string;
  readonly all?: true;
  readonly yes?: true;
  readonly interactive?: true;
  readonly dryRun: 'none' | 'client' | 'server';
  readonly ignoreNotFound?: true;
  readonly wait: boolean;
  readonly timeout: number;
}

/** `delete TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | TYPE --all | -f FILE` */
export function registerDelete(command: Command, cli: Cli): void {
  command
    .argument('[type]', 'a kind, or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .option('-f, --filename <path...>', 'the objects of these files, folders, or - for stdin')
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
    .option('--wait [switch]', 'wait until they are gone, their finalizers done', switchOf, true)
    .option('--timeout <duration>', 'how long to wait at most', durationMsOf, TIMEOUT_MS)
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
  b8sctl delete sites --all --dry-run=client     say what would be deleted
  b8sctl undelete site/blog                      bring one back`;

async function deleteObjects(
  words: readonly string[],
  options: DeleteOptions,
  cli: Cli,
): Promise<void> {
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
    const deleted = await deleteOne(api, reference, options);
    if (deleted === undefined) return;
    if (options.dryRun === 'server') {
      sayDeleted(reference, ' (server dry run)', cli);
      return;
    }
    // Told before the wait: someone who interrupts it must know that the deletion was asked for.
    sayDeleted(reference, '', cli);
    if (options.wait && deleted.finalizing) await waitUntilGone(api, deleted.object, options, cli);
  });
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
  if (options.filename !== undefined) {
    if (words.length > 0) throw new CommandError('error: give names or -f, not both');
    return await fromFiles(options.filename, options, cli);
  }
  if (words.length === 0)
    throw new CommandError('error: name what to delete: TYPE NAME, or -f FILE');
  const targets = parseTargets(words);
  const hasRule = options.selector !== undefined || options.all === true;
  if (targets.form === 'names') {
    if (hasRule) throw new CommandError('error: names cannot be given together with -l or --all');
    return targets.names.map((target) => referenceOf(target, namespace));
  }
  if (!hasRule) throw new CommandError('error: name the objects, or say -l SELECTOR or --all');
  const lists = await Promise.all(
    targets.kinds.map((kind) => listToDelete(api, kind, { namespace, selector: options.selector })),
  );
  return lists.flat().map(referenceTo);
}

/** In the opposite order of apply: what refers to others goes first. */
async function fromFiles(
  paths: readonly string[],
  options: DeleteOptions,
  cli: Cli,
): Promise<readonly ObjectReference[]> {
  const recursive = options.recursive === true;
  const { declarations, problems } = await readDeclarations(cli, paths, { recursive });
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  return declarations.toReversed().map(({ object }) => ({
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  }));
}

async function listToDelete(
  api: Api,
  kind: Kind,
  { namespace, selector }: { readonly namespace: string; readonly selector: string | undefined },
): Promise<readonly Resource[]> {
  const { objects } = await api.list({
    kind: kind.kind,
    namespace: kind.scope === 'namespace' ? namespace : '',
    ...(selector !== undefined && { labelSelector: selector }),
  });
  return objects;
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

async function deleteOne(
  api: Api,
  reference: ObjectReference,
  options: DeleteOptions,
): Promise<{ readonly object: Resource; readonly finalizing: boolean } | undefined> {
  try {
    // By uid: were it replaced between the two calls, the new object is another one.
    const { metadata } = await fetchObject(api, reference);
    const dryRun = options.dryRun === 'server';
    return await named(reference, () => api.delete(reference, { uid: metadata.uid, dryRun }));
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
