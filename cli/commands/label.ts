import type { Command } from 'commander';
import { labelKeyProblem, labelValueProblem } from '../../api/labels.ts';
import type { Resource } from '../../api/object.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { chosenReferences } from '../objects/chosen.ts';
import { forEachOrFail, modify } from '../objects/objects.ts';
import { parseTargets } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

interface LabelOptions extends GitConsent {
  readonly overwrite?: true;
  readonly list?: true;
  readonly selector?: string;
  readonly all?: true;
}

/** What the two commands differ in. */
interface Field {
  readonly name: 'labels' | 'annotations';
  readonly singular: 'label' | 'annotation';
  readonly done: 'labeled' | 'annotated';
  valueProblem(value: string): string | undefined;
}

const LABELS: Field = {
  ...{ name: 'labels', singular: 'label', done: 'labeled' },
  valueProblem: labelValueProblem,
};

const ANNOTATIONS: Field = {
  ...{ name: 'annotations', singular: 'annotation', done: 'annotated' },
  valueProblem: () => undefined,
};

/** `label TYPE NAME... key=value key-` */
export function registerLabel(command: Command, cli: Cli): void {
  registerField(command, LABELS, cli);
  command.addHelpText('after', examples('label', 'tier=front'));
}

/** `annotate TYPE NAME... key=value key-` */
export function registerAnnotate(command: Command, cli: Cli): void {
  registerField(command, ANNOTATIONS, cli);
  command.addHelpText('after', examples('annotate', "owner='web team'"));
}

function examples(command: string, pair: string): string {
  const [key] = pair.split('=');
  return `
Examples:
  b8sctl ${command} site blog ${pair}
  b8sctl ${command} site/blog site/shop ${pair} --overwrite
  b8sctl ${command} sites -l app=blog ${pair}
  b8sctl ${command} sites,zones --all ${pair}
  b8sctl ${command} site blog --list
  b8sctl ${command} site blog ${key}-                 remove it`;
}

function registerField(command: Command, field: Field, cli: Cli): void {
  withGitConsent(command)
    .argument('<words...>', `TYPE NAME or TYPE/NAME, then ${field.singular}s: key=value, or key-`)
    .option('--overwrite', 'change one that has another value')
    .option('-l, --selector <selector>', 'all with these labels: app=blog,tier!=test')
    .option('--all', 'all of the kind in the namespace')
    .option('--list', `print the ${field.name} as they are then`)
    .action(async (words: readonly string[], options: LabelOptions) => {
      await setField(words, field, { ...options, cli });
    });
}

async function setField(
  words: readonly string[],
  field: Field,
  { cli, ...options }: LabelOptions & { readonly cli: Cli },
): Promise<void> {
  const isChange = (word: string) => word.includes('=') || word.endsWith('-');
  const found = words.findIndex(isChange);
  const first = found === -1 ? words.length : found;
  if (first === 0) throw new CommandError('error: name the objects first: TYPE NAME or TYPE/NAME');
  if (first === words.length && options.list !== true)
    throw new CommandError(`error: give at least one ${field.singular}: key=value`);
  const changes = words.slice(first).map((word) => parseChange(word, field));
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  const targets = parseTargets(words.slice(0, first));
  const references = await chosenReferences(api, targets, { ...options, namespace });
  if (references.length === 0) cli.terminal.error('No resources found\n');
  const overwrite = options.overwrite === true;
  await forEachOrFail(cli, references, async (reference) => {
    const change = (current: Resource) => changed(current, changes, { field, overwrite });
    const { outcome, object } = await modify(api, reference, change, (both) =>
      mindGit(api, both, { consent: options, cli }),
    );
    const said = outcome === 'changed' ? doneTo(field, changes) : `not ${field.done}`;
    if (changes.length > 0) cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
    if (options.list === true) list(object, { field, isAlone: references.length === 1, cli });
  });
}

/** As kubectl has it. */
function doneTo({ done }: Field, changes: readonly Change[]): string {
  const removesOnly = changes.every(({ value }) => value === undefined);
  return done === 'labeled' && removesOnly ? 'unlabeled' : done;
}

/** One a line, as `key=value`, for scripts; of several objects each under its name. */
function list(
  object: Resource,
  { field, isAlone, cli }: { readonly field: Field; readonly isAlone: boolean; readonly cli: Cli },
): void {
  const pairs = Object.entries(object.metadata[field.name] ?? {}).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const lines = pairs.map(([key, value]) => `${printable(`${key}=${value}`)}\n`);
  if (!isAlone) cli.terminal.out(`Listing ${field.name} for ${qualifiedName(object)}:\n`);
  cli.terminal.out(lines.map((line) => (isAlone ? line : ` ${line}`)).join(''));
}

/** Undefined: to be removed. */
interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

function parseChange(word: string, field: Field): Change {
  const equals = word.indexOf('=');
  const isRemoval = equals === -1 && word.endsWith('-');
  if (equals === -1 && !isRemoval) {
    throw new CommandError(`error: "${word}" is neither key=value nor key-`);
  }
  const key = isRemoval ? word.slice(0, -1) : word.slice(0, equals);
  const value = isRemoval ? undefined : word.slice(equals + 1);
  const problem =
    labelKeyProblem(key) ?? (value === undefined ? undefined : field.valueProblem(value));
  if (problem !== undefined)
    throw new CommandError(`error: ${field.singular} "${word}": ${problem}`);
  return { key, value };
}

function changed(
  object: Resource,
  changes: readonly Change[],
  { field, overwrite }: { readonly field: Field; readonly overwrite: boolean },
): Resource {
  const before = object.metadata[field.name] ?? {};
  const after = new Map(Object.entries(before));
  for (const { key, value } of changes) {
    const old = after.get(key);
    if (value !== undefined && old !== undefined && old !== value && !overwrite) {
      throw new CommandError(
        `error: ${qualifiedName(object)}: '${key}' already has a value (${old}), and --overwrite is false`,
      );
    }
    if (value === undefined) after.delete(key);
    else after.set(key, value);
  }
  const isSame =
    after.size === Object.keys(before).length &&
    [...after].every(([key, value]) => before[key] === value);
  if (isSame) return object;
  return { ...object, metadata: { ...object.metadata, [field.name]: Object.fromEntries(after) } };
}
