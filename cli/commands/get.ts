import type { Command } from 'commander';
import type { Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/object.ts';
import type { Api, Listed, Moment } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { chunkOf, listOf } from '../flags.ts';
import { commitAt } from '../history/commit-words.ts';
import { type Asked, momentAsked, momentOf } from '../history/moment.ts';
import {
  declaredTargets,
  FILENAME_FLAG,
  type FilesNamed,
  RECURSIVE_FLAG,
} from '../objects/declared-references.ts';
import { parseFieldSelector } from '../objects/field-selector.ts';
import { assertKnownField } from '../objects/known-field.ts';
import { fetchObject, forEachOrFail, isNotFound } from '../objects/objects.ts';
import { sorted } from '../objects/sorted.ts';
import {
  kindOfObject,
  kindsOf,
  type NamedTarget,
  parseTargets,
  referenceOf,
} from '../objects/targets.ts';
import { type PathStep, parsePath } from '../render/jsonpath.ts';
import { moreColumnsOf } from '../render/more-columns.ts';
import {
  type OutputFormat,
  objectTable,
  parseOutputFormat,
  qualifiedName,
  renderDocument,
  withoutManagedFields,
} from '../render/output.ts';

export interface GetOptions extends FilesNamed {
  readonly output?: string;
  readonly watch?: true;
  readonly selector?: string;
  readonly allNamespaces?: true;
  readonly sortBy?: string;
  readonly fieldSelector?: string;
  readonly watchOnly?: true;
  readonly ignoreNotFound?: true;
  readonly showLabels?: true;
  readonly labelColumns?: readonly string[];
  /** `false`: --no-headers. */
  readonly headers?: boolean;
  readonly at?: Asked;
  readonly showManagedFields?: true;
  readonly chunkSize?: number;
}

/** `get TYPE[,TYPE] [NAME...] | TYPE/NAME...` */
export function registerGet(command: Command, cli: Cli): void {
  command
    .argument('[type]', 'a kind, several parted by commas, or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .option(
      '-o, --output <format>',
      'wide, yaml, json, name, jsonpath=TEMPLATE or custom-columns=HEADER:PATH,…',
    )
    .option(FILENAME_FLAG, 'what files, folders, https URLs or - for stdin declare')
    .option(RECURSIVE_FLAG, 'with -f: also the folders in folders')
    .option('-w, --watch', 'go on with every change, until Ctrl-C')
    .option('--watch-only', 'only changes from now on')
    .option('-l, --selector <selector>', 'only with these labels: app=blog,tier!=test')
    .option(
      '--field-selector <selector>',
      'only with these fields: spec.ttl=30,metadata.name!=blog',
    )
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--sort-by <path>', 'sort by this field, e.g. .metadata.creationTimestamp')
    .option('--at <moment>', 'as it was at a revision, at a time, or so long ago', momentAsked)
    .option('--show-managed-fields', 'with yaml and json: also who owns which field')
    .option('--show-labels', 'with a column for all labels')
    .option('-L, --label-columns <keys>', 'with a column for each of these labels', listOf)
    .option('--no-headers', 'without the first line of tables')
    .option('--chunk-size <count>', 'ask dom for so many objects at once, 0: for all', chunkOf)
    .option('--ignore-not-found', 'it is no error when there is no such object')
    .addHelpText('after', EXAMPLES)
    .action(async (type: string | undefined, names: readonly string[], options: GetOptions) => {
      if (type === undefined && options.filename === undefined)
        throw new CommandError('error: name what to get: TYPE, TYPE/NAME, or -f FILE');
      await get(type === undefined ? [] : [type, ...names], options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl get sites                              every site of the namespace
  b8sctl get nodes -o wide                      with more columns
  b8sctl get site/blog -o yaml                  all of one object
  b8sctl get sites -o jsonpath='{.items[*].metadata.name}'
  b8sctl get sites -o custom-columns=NAME:.metadata.name,TTL:.spec.ttl
  b8sctl get nodes -o jsonpath='{range .items[?(@.spec.unschedulable==true)]}{.metadata.name}{"\\n"}{end}'
  b8sctl get sites -l app=blog -w               follow some of them
  b8sctl get site blog --at 1234 -o yaml        as it was at revision 1234
  b8sctl get sites --at 2h                      what was declared two hours ago

On a terminal that is too narrow cells end in … and columns may be left out; names are always whole,
and with -o wide everything is.`;

/** Prints what is asked for; ends with exit code 1 when a name is missing. */
export async function get(words: readonly string[], options: GetOptions, cli: Cli): Promise<void> {
  const format = parseOutputFormat(options.output);
  const { fieldSelector } = options;
  const targets =
    options.filename === undefined
      ? parseTargets(words)
      : await declaredTargets(cli, words, options);
  const kinds = kindsOf(targets);
  const isWanted =
    fieldSelector === undefined ? () => true : parseFieldSelector(fieldSelector, kinds);
  const sortSteps = options.sortBy === undefined ? undefined : parsePath(options.sortBy);
  if (sortSteps !== undefined) assertKnownField(sortSteps, { flag: '--sort-by', kinds });
  const watch = options.watch === true || options.watchOnly === true;
  if (options.at !== undefined && watch) {
    throw new CommandError('error: --at looks back, -w ahead: give one of them');
  }
  const moment = options.at === undefined ? undefined : momentOf(options.at, cli.clock.nowMs());
  const query: Query = { ...options, format, sortSteps, moment, isWanted, watch };
  if (targets.form === 'names') await getNames(targets.names, query, cli);
  else await getKinds(targets.kinds, query, cli);
}

interface Query extends Omit<GetOptions, 'watch'> {
  readonly watch: boolean;
  readonly isWanted: (object: Resource) => boolean;
  readonly format: OutputFormat;
  readonly sortSteps: readonly PathStep[] | undefined;
  readonly moment: Moment | undefined;
}

async function getNames(names: readonly NamedTarget[], query: Query, cli: Cli): Promise<void> {
  if (query.selector !== undefined || query.fieldSelector !== undefined) {
    throw new CommandError('error: names cannot be given together with -l or --field-selector');
  }
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const [only] = names;
  if (query.watch && (only === undefined || names.length > 1)) {
    throw new CommandError('error: watch one object, or all of one kind');
  }
  const found: Resource[] = [];
  let failure: Error | undefined;
  try {
    await forEachOrFail(cli, names, async (target) => {
      const reference = referenceOf(target, target.namespace ?? namespace);
      const object = await fetchObject(api, reference, query.moment).catch((error: unknown) => {
        if (query.ignoreNotFound === true && isNotFound(error)) return undefined;
        throw error;
      });
      if (object === undefined) return;
      found.push(object);
      const { moment } = query;
      const commit = moment && (await commitAt(api, reference, moment));
      if (commit !== undefined)
        cli.terminal.error(`Note: ${qualifiedName(object)} was made so by ${commit}\n`);
    });
  } catch (error) {
    // What was found is printed all the same, before the command fails.
    if (!(error instanceof Error)) throw error;
    failure = error;
  }
  const form = names.length === 1 ? 'object' : 'list';
  if (found.length > 0 && query.watchOnly !== true)
    print(sorted(found, query.sortSteps), { query, form, cli });
  if (failure !== undefined) throw failure;
  if (query.watch && only !== undefined) {
    await follow(api, only.kind, {
      ...{ query, cli, seen: found, name: only.name },
      namespace: only.namespace ?? namespace,
    });
  }
}

async function getKinds(kinds: readonly Kind[], query: Query, cli: Cli): Promise<void> {
  const api = await cli.api();
  const namespace = query.allNamespaces === true ? '' : await cli.namespace();
  const [only] = kinds;
  if (query.watch && (only === undefined || kinds.length > 1)) {
    throw new CommandError('error: watch one object, or all of one kind');
  }
  const lists = await Promise.all(kinds.map((kind) => list(api, kind, namespace, query)));
  const found = lists.flatMap(({ objects }) =>
    sorted(objects.filter(query.isWanted), query.sortSteps),
  );
  const isQuiet = query.watchOnly === true;
  const hasText = found.length > 0 || query.format.kind !== 'table';
  if (hasText && !isQuiet) print(found, { query, form: 'list', cli });
  else if (!query.watch && query.ignoreNotFound !== true)
    cli.terminal.error(`${emptyText(kinds, namespace)}\n`);
  if (query.watch && only !== undefined) {
    const afterRevision = lists[0]?.revision ?? 0n;
    await follow(api, only, { query, cli, namespace, seen: found, afterRevision });
  }
}

async function list(api: Api, kind: Kind, namespace: string, query: Query): Promise<Listed> {
  return await api.list({
    kind: kind.kind,
    namespace: kind.scope === 'namespace' ? namespace : '',
    ...(query.selector !== undefined && { labelSelector: query.selector }),
    ...(query.moment !== undefined && { at: query.moment }),
    ...(query.chunkSize !== undefined && { pageObjects: query.chunkSize }),
  });
}

interface Printing {
  readonly query: Query;
  readonly form: 'object' | 'list';
  readonly cli: Cli;
}

function print(objects: readonly Resource[], { query, form, cli }: Printing): void {
  const { format } = query;
  if (query.moment !== undefined && objects.every(({ status }) => status === undefined))
    cli.terminal.error('Note: no status is kept from then; this is what was declared.\n');
  if (format.kind === 'table') {
    const tables = tablesOf(objects, query, cli);
    const nowMs = cli.clock.nowMs();
    cli.terminal.out(tables.map(({ table, rows }) => table.render(rows, nowMs)).join('\n'));
    return;
  }
  const shown = query.showManagedFields === true ? objects : objects.map(withoutManagedFields);
  const text = renderDocument(format, shown, form);
  // As kubectl, a template prints just what it says; a person's prompt needs a line of its own.
  const isTornLine = format.kind === 'jsonpath' && cli.terminal.outIsTerminal;
  cli.terminal.out(isTornLine && !text.endsWith('\n') ? `${text}\n` : text);
}

/** One table per kind, in the order in which they come. */
function tablesOf(objects: readonly Resource[], query: Query, cli: Cli) {
  const byKind = Map.groupBy(objects, (object) => object.kind);
  return [...byKind.values()].map((rows) => ({
    table: tableFor(kindOfObject(rows[0] ?? { kind: '' }), query, cli, byKind.size > 1),
    rows,
  }));
}

function tableFor(kind: Kind, query: Query, { terminal }: Cli, withKind = false) {
  const { format, allNamespaces } = query;
  const wide = format.kind === 'table' && format.wide;
  const withNamespace = allNamespaces === true && kind.scope === 'namespace';
  const moreColumns = moreColumnsOf({ ...query, wide });
  // Who asks for more columns, or for labels, gets them whole.
  const fit = terminal.outIsTerminal && moreColumns.length === 0 ? terminal.columns : undefined;
  return objectTable(kind, {
    ...{ wide, withNamespace, withKind, moreColumns },
    ...(fit !== undefined && { fit }),
    ...(format.kind === 'table' && format.columns !== undefined && { columns: format.columns }),
    ...(query.headers === false && { header: 'none' }),
  });
}

interface Following {
  readonly query: Query;
  readonly cli: Cli;
  readonly namespace: string;
  /** What has been printed already: changes go on below it. */
  readonly seen: readonly Resource[];
  readonly name?: string;
  readonly afterRevision?: bigint;
}

/** Prints each change until the command is interrupted or dom goes away. */
async function follow(api: Api, kind: Kind, following: Following): Promise<void> {
  const { query, cli, namespace, seen, name, afterRevision } = following;
  const table = tableFor(kind, query, cli);
  // The header and the widths of what is on the screen already.
  if (seen.length > 0 && query.watchOnly !== true) table.render(seen, cli.clock.nowMs());
  const revisions = new Set(seen.map(({ metadata }) => metadata.resourceVersion));
  const options = {
    kind: kind.kind,
    namespace: kind.scope === 'namespace' ? namespace : '',
    ...(query.selector !== undefined && { labelSelector: query.selector }),
    ...(name !== undefined && { name }),
    ...(afterRevision !== undefined && { afterRevision }),
  };
  for await (const event of api.watch(options, cli.signal)) {
    if (event.type === 'synced') continue;
    const { object } = event;
    if (!query.isWanted(object)) continue;
    if (event.type === 'added' && revisions.has(object.metadata.resourceVersion)) continue;
    if (query.format.kind === 'table') cli.terminal.out(table.render([object], cli.clock.nowMs()));
    else printChange(object, query, cli);
  }
}

function printChange(object: Resource, query: Query, cli: Cli): void {
  if (query.format.kind === 'yaml') cli.terminal.out('---\n');
  print([object], { query, form: 'object', cli });
  if (query.format.kind === 'jsonpath' && !cli.terminal.outIsTerminal) cli.terminal.out('\n');
}

function emptyText(kinds: readonly Kind[], namespace: string): string {
  const isNamespaced = kinds.some((kind) => kind.scope === 'namespace') && namespace !== '';
  return `No resources found${isNamespaced ? ` in ${namespace} namespace.` : ''}`;
}
