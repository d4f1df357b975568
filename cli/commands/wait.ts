import type { Command } from 'commander';
import { condition, type Resource } from '../../api/object.ts';
import { ApiError, type ObjectReference } from '../../runtime/api-client.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { allOf, durationOption, patienceMsOf } from '../flags.ts';
import { chosenReferences } from '../objects/chosen.ts';
import {
  declaredReferences,
  FILENAME_FLAG,
  type FilesNamed,
  RECURSIVE_FLAG,
} from '../objects/declared-references.ts';
import { forEachOrFail } from '../objects/objects.ts';
import { parseTargets } from '../objects/targets.ts';
import { waitFor } from '../objects/watching.ts';
import { parsePath, select } from '../render/jsonpath.ts';
import { qualifiedName, quotedName } from '../render/output.ts';

const TIMEOUT_MS = 30_000;

interface WaitOptions extends FilesNamed {
  readonly for: readonly string[];
  readonly timeout: number;
  readonly selector?: string;
  readonly all?: true;
}

/** `wait TYPE/NAME... --for=condition=Ready|delete|create|jsonpath={.path}=value` */
export function registerWait(command: Command, cli: Cli): void {
  command
    .argument('[type]', 'a kind, or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .requiredOption(
      '--for <goal>',
      'condition=TYPE[=STATUS], delete, create, or jsonpath={.path}=value; several: all at once',
      allOf,
    )
    .addOption(
      durationOption(
        'how long to wait at most, for all objects together; 0: look once, -1: for ever',
        TIMEOUT_MS,
        { parse: patienceMsOf },
      ),
    )
    .option(FILENAME_FLAG, 'the objects of these files, folders, https URLs, or - for stdin')
    .option(RECURSIVE_FLAG, 'with -f: also the folders in folders')
    .option('-l, --selector <selector>', 'all with these labels: app=blog,tier!=test')
    .option('--all', 'all of the kind in the namespace')
    .addHelpText('after', EXAMPLES)
    .action(async (type: string | undefined, names: readonly string[], options: WaitOptions) => {
      await wait(type === undefined ? [] : [type, ...names], options, cli);
    });
}

const EXAMPLES = `
An object that does not exist is waited for, too, unless the timeout is 0.

Examples:
  b8sctl wait site/blog --for=condition=Ready --timeout 60s
  b8sctl wait node fra1 --for=condition=Ready=false
  b8sctl wait site/blog --for=delete
  b8sctl wait -f manifests/ --for=condition=Ready --timeout 2m
  b8sctl wait site/blog --for=condition=Ready --for=jsonpath='{.status.rollout.phase}'=done
  b8sctl wait site/blog --for=jsonpath='{.status.release}'=sha256-…`;

/** What is waited for. */
interface Goal {
  isMet(object: Resource | undefined): boolean;
  /** "condition": after "timed out waiting for the". */
  readonly noun: string;
  /** What it is instead, after a colon; left out: the noun says it. */
  instead?(object: Resource): string;
}

async function wait(words: readonly string[], options: WaitOptions, cli: Cli): Promise<void> {
  const goals = options.for.map(parseGoal);
  const references = await waitedFor(words, options, cli);
  const api = await cli.api();
  if (references.length === 0) throw new CommandError('error: no matching resources found');
  const endMs = cli.clock.monotonicMs() + options.timeout;
  await forEachOrFail(cli, references, async (reference) => {
    const timeoutMs = endMs - cli.clock.monotonicMs();
    let last: Resource | undefined;
    const isDone = (object: Resource | undefined) => {
      last = object;
      return goals.every((goal) => goal.isMet(object));
    };
    const waited = await waitFor(api, reference, isDone, { ...cli, timeoutMs });
    if (waited.kind === 'timeout') throw unmet(goals, reference, { last, timeoutMs });
    const { kind, name } = reference;
    cli.terminal.out(`${qualifiedName({ kind, metadata: { name } })} condition met\n`);
  });
}

async function waitedFor(
  words: readonly string[],
  options: WaitOptions,
  cli: Cli,
): Promise<readonly ObjectReference[]> {
  if (options.filename !== undefined) return await declaredReferences(cli, words, options);
  if (words.length === 0)
    throw new CommandError('error: name what to wait for: TYPE NAME, or -f FILE');
  const { selector, all } = options;
  const choice = { selector, all, namespace: await cli.namespace() };
  return await chosenReferences(await cli.api(), parseTargets(words), choice);
}

function unmet(
  goals: readonly Goal[],
  { kind, name }: ObjectReference,
  { last, timeoutMs }: { readonly last: Resource | undefined; readonly timeoutMs: number },
): Error {
  const missing = goals.find((goal) => !goal.isMet(last));
  if (last === undefined && timeoutMs <= 0 && missing?.noun === 'condition')
    return new ApiError('NotFound', `${quotedName(kind, name)} not found`);
  const noun = missing?.noun ?? 'condition';
  const why = last === undefined && noun === 'condition' ? ', which does not exist' : '';
  const about = `${kind.toLowerCase()}s/${name}${why}`;
  const instead = last === undefined ? undefined : missing?.instead?.(last);
  const tail = instead === undefined ? '' : `: ${printable(instead)}`;
  return new CommandError(`error: timed out waiting for the ${noun} on ${about}${tail}`);
}

function parseGoal(text: string): Goal {
  if (text === 'delete') {
    return { isMet: (object) => object === undefined, noun: 'deletion' };
  }
  if (text === 'create') {
    return { isMet: (object) => object !== undefined, noun: 'creation' };
  }
  const [, type, status = 'True'] = /^condition=([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  if (type !== undefined) return conditionGoal(type, status);
  const [, path, value] = /^jsonpath=(\{[^{}]*\}|[^={}]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (path !== undefined && path !== '') return fieldGoal(path, value);
  const hint = /^[A-Za-z]+$/.test(text) ? `; did you mean condition=${capital(text)}?` : '';
  throw new CommandError(
    `error: --for "${text}" is not condition=TYPE[=STATUS], delete, create or jsonpath={.path}=value${hint}`,
  );
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;
}

function conditionGoal(type: string, status: string): Goal {
  const wanted = status.toLowerCase();
  return {
    noun: 'condition',
    instead(object) {
      const found = condition(object, type);
      if (found === undefined) return `there is no ${type}${typesText(object)}`;
      const isOld =
        (found.observedGeneration ?? Number.POSITIVE_INFINITY) < object.metadata.generation;
      const words = `${type} is ${found.status}, ${found.reason}: ${found.message}`;
      return isOld ? `${words}, which is of an older spec` : words;
    },
    isMet(present) {
      if (present === undefined) return false;
      const found = condition(present, type);
      if (found?.status.toLowerCase() !== wanted) return false;
      // A condition about an older spec is not yet an answer.
      return (
        (found.observedGeneration ?? present.metadata.generation) >= present.metadata.generation
      );
    },
  };
}

function typesText({ status }: Resource): string {
  const types = (status?.conditions ?? []).map(({ type }) => type);
  return types.length === 0 ? ', and no other condition yet' : `; there are ${types.join(', ')}`;
}

function fieldGoal(path: string, value: string | undefined): Goal {
  const steps = parsePath(path);
  const textOf = (each: unknown) => (typeof each === 'string' ? each : JSON.stringify(each));
  return {
    noun: 'condition',
    instead(object) {
      const found = select(steps, object).map(textOf);
      return found.length === 0 ? `there is no ${path}` : `${path} is ${found.join(', ')}`;
    },
    isMet(object) {
      const found = object === undefined ? [] : select(steps, object);
      if (value === undefined) return found.length > 0;
      return found.some((each) => textOf(each) === value);
    },
  };
}
