import type { Command, Option } from 'commander';
import { kinds } from '../api/kinds.ts';
import type { Cli } from './cli.ts';
import {
  ARGUMENTS,
  contexts,
  fieldPaths,
  namesOfKind,
  namespaces,
  prefixed,
} from './complete-words.ts';

/**
 * The candidates for the last of `words`, sorted. `program` has the command that the words name
 * registered. What cannot be known, because dom is away, is left out in silence.
 */
export async function complete(
  words: readonly string[],
  program: Command,
  cli: Cli,
): Promise<readonly string[]> {
  // bash parts words at "=".
  const last = words.at(-1) ?? '';
  const typed = last === '=' ? '' : last;
  const before = walk(program, last === '=' ? words : words.slice(0, -1));
  const flagged = before.valueOf === undefined ? /^(--[^=]+=)(.*)$/s.exec(typed) : null;
  const [, head = '', current = typed] = flagged ?? [];
  const place =
    head === ''
      ? before
      : { ...before, valueOf: walk(program, [...words.slice(0, -1), head.slice(0, -1)]).valueOf };
  const found = await candidatesFor({ current, ...place, program, cli });
  return prefixed(
    head,
    found.filter((candidate) => candidate.startsWith(current)),
  ).toSorted();
}

interface Place {
  readonly current: string;
  /** The innermost command that the words before name. */
  readonly command: Command;
  /** The command's arguments before the current word. */
  readonly operands: readonly string[];
  /** The flag whose value the current word is. */
  readonly valueOf: Option | undefined;
  readonly program: Command;
  readonly cli: Cli;
}

function walk(program: Command, words: readonly string[]) {
  let command = program;
  let operands: readonly string[] = [];
  let valueOf: Option | undefined;
  for (const word of words) {
    if (valueOf !== undefined) {
      if (word === '=') continue;
      valueOf = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const flags = [...command.options, ...program.options];
      const flag = flags.find(({ short, long }) => word === short || word === long);
      valueOf = flag?.required === true ? flag : undefined;
      continue;
    }
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) operands = [...operands, word];
    else command = inner;
  }
  return { command, operands, valueOf };
}

async function candidatesFor(place: Place): Promise<readonly string[]> {
  const { current, command, valueOf, program, cli } = place;
  if (valueOf !== undefined) return await flagValues(valueOf, place);
  if (current.startsWith('-')) {
    const flags = [...command.options, ...program.options];
    return flags.flatMap(({ long }) => long ?? []);
  }
  if (command.commands.length > 0) return command.commands.map((each) => each.name());
  const name = pathOf(command);
  if (TAKES_TARGETS.has(name)) return await targetCandidates(place);
  if (name === 'explain') return explainCandidates(current);
  return (await ARGUMENTS.get(name)?.(cli, place.operands)) ?? [];
}

function explainCandidates(current: string): readonly string[] {
  const [kind = '', ...fields] = current.split('.');
  if (fields.length === 0) return kinds.map(({ singular }) => singular);
  return fieldPaths(kind, { current, head: `${kind}.` });
}

/** Commands whose arguments are TYPE NAME or TYPE/NAME. */
const TAKES_TARGETS: ReadonlySet<string> = new Set(
  'get describe why history undelete diff delete wait label annotate edit patch'.split(' '),
);

async function targetCandidates({ current, operands, cli }: Place): Promise<readonly string[]> {
  const [type, name] = current.split('/');
  if (name !== undefined) return prefixed(`${type}/`, await namesOfKind(type ?? '', cli));
  const [first] = operands;
  if (first === undefined) return kinds.flatMap(({ singular, plural }) => [singular, plural]);
  return first.includes('/') ? [] : await namesOfKind(first, cli);
}

async function flagValues(flag: Option, place: Place): Promise<readonly string[]> {
  if (flag.argChoices !== undefined) return flag.argChoices;
  switch (flag.long ?? '') {
    case '--output':
      return ['custom-columns=', 'json', 'jsonpath=', 'name', 'wide', 'yaml'];
    case '--for':
      return place.command.name() === 'wait'
        ? ['condition=', 'create', 'delete', 'jsonpath=']
        : await targetCandidates({ ...place, operands: [] });
    case '--types':
      return ['Normal', 'Warning'];
    case '--site':
      return await namesOfKind('Site', place.cli);
    case '--server':
    case '--node':
      return await namesOfKind('Node', place.cli);
    case '--context':
      return await contexts(place.cli);
    case '--namespace':
      return await namespaces(place.cli);
    case '--sort-by':
    case '--field-selector': {
      const head = place.current.startsWith('.') ? '.' : '';
      return fieldPaths(place.operands[0] ?? '', { current: place.current, head });
    }
    default:
      return [];
  }
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}
