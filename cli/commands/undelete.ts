import { type Command, Option } from 'commander';
import { API_VERSION, type Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import {
  type Api,
  ApiError,
  type DeclaredObject,
  type HistoryEntry,
  type ObjectReference,
} from '../../runtime/api-client.ts';
import { type Cli, CommandError, errorText, MANAGER } from '../cli.ts';
import { revisionOf } from '../flags.ts';
import { commitWords } from '../history/commit-words.ts';
import { findObject, forEachOrFail, named } from '../objects/objects.ts';
import { parseNames, referenceOf } from '../objects/targets.ts';
import { qualifiedName, quotedName } from '../render/output.ts';

interface UndeleteOptions {
  readonly toRevision?: bigint;
  readonly dryRun: 'none' | 'server';
}

/** `undelete TYPE NAME... | TYPE/NAME...` */
export function registerUndelete(command: Command, cli: Cli): void {
  command
    .argument('<words...>', 'TYPE NAME or TYPE/NAME')
    .option('--to-revision <revision>', 'as it was at this revision, see history', revisionOf)
    .addOption(
      new Option('--dry-run <where>', 'change nothing: ask dom what would happen')
        .choices(['none', 'server'])
        .default('none'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: UndeleteOptions) => {
      await undelete(words, options, cli);
    });
}

const EXAMPLES = `
Declares again what history keeps of an object: its spec, labels and annotations. dom checks it as
it does with apply. It is a new object, with a uid of its own.

Examples:
  b8sctl undelete site/blog
  b8sctl undelete zone/example-com --dry-run=server`;

async function undelete(
  words: readonly string[],
  options: UndeleteOptions,
  cli: Cli,
): Promise<void> {
  const targets = parseNames(words);
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  await forEachOrFail(cli, targets, async (target) => {
    const reference = referenceOf(target, namespace);
    const entries = await named(reference, () => api.history(reference));
    const live = await findObject(api, reference);
    const entry = entryToRestore(reference, entries, { options, live });
    const remover = entries.at(-1);
    const commit = remover?.change === 'deleted' ? commitWords(remover) : undefined;
    await restore(api, reference, entry, { options, cli });
    if (commit !== undefined)
      cli.terminal.error(`Note: ${commit} had removed it, so no Repository keeps it any more\n`);
  });
}

/** The entry that says what the object was. Throws where undelete is not what helps. */
function entryToRestore(
  reference: ObjectReference,
  entries: readonly HistoryEntry[],
  { options, live }: { readonly options: UndeleteOptions; readonly live: Resource | undefined },
): HistoryEntry {
  const name = `${reference.kind.toLowerCase()}/${reference.name}`;
  const { toRevision } = options;
  if (live !== undefined) {
    const isGoing = live.metadata.deletionTimestamp !== undefined;
    throw new CommandError(
      isGoing
        ? `error: ${name} is still being deleted: b8sctl wait ${name} --for=delete, then undelete`
        : `error: ${name} is there, and not deleted; b8sctl history ${name} shows what it was`,
    );
  }
  const until = entries.filter(
    ({ revision }) => toRevision === undefined || revision <= toRevision,
  );
  const entry = until.findLast(({ change }) => toRevision === undefined || change !== 'deleted');
  if (entry === undefined) {
    const quoted = quotedName(reference.kind, reference.name);
    const when = toRevision === undefined ? 'ever' : `at revision ${toRevision} or before`;
    throw new CommandError(`error: nothing was ${when} declared as ${quoted}`);
  }
  if (reference.kind === 'Secret') {
    throw new CommandError(
      `error: ${name}: dom never shows the values of a Secret, so they cannot be declared again; write them anew: b8sctl create secret generic ${reference.name}`,
    );
  }
  const maker = entries.findLast(({ change, uid }) => change !== 'deleted' && uid === entry.uid);
  if (maker?.manager.endsWith('-controller') === true) {
    throw new CommandError(
      `error: ${name} was made by ${maker.manager}, which makes it again when it is needed`,
    );
  }
  return entry;
}

async function restore(
  api: Api,
  { kind, namespace, name }: ObjectReference,
  { spec, labels, annotations }: HistoryEntry,
  { options, cli }: { readonly options: UndeleteOptions; readonly cli: Cli },
): Promise<void> {
  const metadata = { name, ...(namespace !== '' && { namespace }), labels, annotations };
  const object: DeclaredObject = { apiVersion: API_VERSION, kind, metadata, spec };
  const dryRun = options.dryRun === 'server';
  try {
    const { warnings } = await api.apply(object, { manager: MANAGER, dryRun });
    for (const warning of warnings) cli.terminal.error(`Warning: ${warning}\n`);
  } catch (error) {
    throw explained(error, qualifiedName(object));
  }
  cli.terminal.out(`${qualifiedName(object)} undeleted${dryRun ? ' (server dry run)' : ''}\n`);
  await warnOfContent(api, object, cli);
}

/** What is not accepted any more: since it was deleted, rules and other objects have changed. */
function explained(error: unknown, name: string): unknown {
  if (!(error instanceof ApiError) || error.reason !== 'Invalid') return error;
  const problems = error.violations.map(({ path, message }) => `${path} ${message}`.trim());
  const why = problems.length === 0 ? [errorText(error)] : problems;
  const mend = 'get it with --at and -o yaml, mend it, and apply that';
  return new CommandError([`error: ${name} cannot be as it was; ${mend}:`, ...why].join('\n  '), {
    cause: error,
  });
}

/** Releases that no Site names are collected: the content may be gone by now. */
async function warnOfContent(api: Api, { kind, metadata, spec }: DeclaredObject, cli: Cli) {
  const release = kind === 'Site' ? (spec as Site['spec']).content?.release : undefined;
  if (release === undefined) return;
  const { name, namespace = '' } = metadata;
  if ((await findObject(api, { kind: 'Release', namespace, name: release })) !== undefined) return;
  const mend = `publish it again: b8sctl push FOLDER --site ${name}`;
  cli.terminal.error(`Warning: its release is not kept any more; ${mend}\n`);
}
