import type { Command } from 'commander';
import { labelKeyProblem, labelValueProblem } from '../../api/labels.ts';
import type { Resource } from '../../api/object.ts';
import { type Cli, CommandError } from '../cli.ts';
import { forEachOrFail, modify } from '../objects.ts';
import { qualifiedName } from '../render/output.ts';
import { parseNames, referenceOf } from '../targets.ts';

interface LabelOptions {
  readonly overwrite?: true;
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
  b8sctl ${command} site blog ${key}-                 remove it`;
}

function registerField(command: Command, field: Field, cli: Cli): void {
  command
    .argument('<words...>', `TYPE NAME or TYPE/NAME, then ${field.singular}s: key=value, or key-`)
    .option('--overwrite', `change a ${field.singular} that has another value`)
    .action(async (words: readonly string[], options: LabelOptions) => {
      await setField(words, field, { ...options, cli });
    });
}

async function setField(
  words: readonly string[],
  field: Field,
  { overwrite, cli }: LabelOptions & { readonly cli: Cli },
): Promise<void> {
  const isChange = (word: string) => word.includes('=') || word.endsWith('-');
  const first = words.findIndex(isChange);
  if (first < 1) throw new CommandError(`error: give at least one ${field.singular}: key=value`);
  const targets = parseNames(words.slice(0, first));
  const changes = words.slice(first).map((word) => parseChange(word, field));
  const [api, namespace] = [await cli.api(), await cli.namespace()];
  await forEachOrFail(cli, targets, async (target) => {
    const { outcome, object } = await modify(api, referenceOf(target, namespace), (current) =>
      changed(current, changes, { field, overwrite: overwrite === true }),
    );
    const said = outcome === 'changed' ? field.done : `not ${field.done}`;
    cli.terminal.out(`${qualifiedName(object)} ${said}\n`);
  });
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
