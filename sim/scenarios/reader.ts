import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { lineOfNode, lineOfOffset, lineOfPath } from '../../api/locate.ts';
import { didYouMean } from '../../api/nearest.ts';
import { parsePath } from '../../api/path.ts';

/** A file that says something else than it may; each line of the message names file and line. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** One value of a YAML file, which knows where it stands. */
export interface Value {
  readonly line: number;
  /** Refuses it. Throws a `ScenarioError`. */
  fail(message: string): never;
  text(): string;
  /** Whole, from `min` to `max`, both inclusive. */
  integer(bounds: { readonly min: number; readonly max: number }): number;
  oneOf<Word extends string>(words: readonly Word[]): Word;
  list(): readonly Value[];
  /** A mapping with no other fields than these. */
  fields(known: readonly string[]): Fields;
  /** A mapping of names that the file chooses itself. */
  entries(): readonly (readonly [name: string, value: Value])[];
  is(shape: 'list' | 'mapping'): boolean;
  /** The value at a path such as `spec.hosts[0]`, or the nearest around it: for its line. */
  at(path: string): Pick<Value, 'line' | 'fail'>;
  /** As plain data. */
  plain(): unknown;
}

export interface Fields {
  readonly names: readonly string[];
  get(name: string): Value | undefined;
  /** Throws where it is missing. */
  need(name: string): Value;
}

/** Reads a text that is one YAML document. Throws a `ScenarioError`. */
export function readYaml(text: string, file: string): Value {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined)
    throw new ScenarioError(`${file}:${lineOfOffset(error.pos[0], lines)} ${error.message}`);
  const root = document.contents as Node | null;
  if (root === null) throw new ScenarioError(`${file}:1 is empty`);
  return valueOf(root, { file, lines, line: 1, path: '' });
}

/** Reads all of them, and tells what is wrong with each in one error. */
export function collect<Item, Result>(
  items: readonly Item[],
  read: (item: Item) => Result,
): readonly Result[] {
  const problems: string[] = [];
  const results = items.flatMap((item) => {
    try {
      return [read(item)];
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  if (problems.length > 0) throw new ScenarioError(problems.join('\n'));
  return results;
}

interface Origin {
  readonly file: string;
  readonly lines: LineCounter;
  /** Of what comes before it: for values that are not there. */
  readonly line: number;
  /** `steps[2].expect`; empty: the whole file. */
  readonly path: string;
}

function valueOf(node: Node | null, origin: Origin): Value {
  const line = node === null || !node.range ? origin.line : lineOfNode(node, origin.lines);
  const at = { ...origin, line };
  const fail = (message: string): never => {
    const subject = origin.path === '' ? '' : `${origin.path}: `;
    throw new ScenarioError(`${origin.file}:${line} ${subject}${message}`);
  };
  const scalar = (what: string): unknown => {
    if (!isScalar(node)) return fail(`must be ${what}`);
    return node.value;
  };
  return {
    line,
    fail,
    text() {
      const value = scalar('a text');
      return typeof value === 'string' && value !== '' ? value : fail('must be a text');
    },
    integer({ min, max }) {
      const value = scalar(`a number from ${min} to ${max}`);
      const isGood = Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
      return isGood ? Number(value) : fail(`must be a whole number from ${min} to ${max}`);
    },
    oneOf(words) {
      const given = String(scalar(`one of ${words.join(', ')}`));
      const found = words.find((word) => word === given);
      if (found !== undefined) return found;
      return fail(`"${given}" is none of ${words.join(', ')}${didYouMean(given, words)}`);
    },
    list() {
      if (!isSeq<Node | null>(node)) return fail('must be a list');
      return node.items.map((item, index) =>
        valueOf(item, { ...at, path: `${origin.path}[${index}]` }),
      );
    },
    fields: (known) => fieldsOf(entriesOf(node, at, fail), known, fail),
    entries: () => entriesOf(node, at, fail),
    is: (shape) => (shape === 'list' ? isSeq(node) : isMap(node)),
    at(path) {
      const there = node === null ? line : lineOfPath(node, parsePath(path), origin.lines);
      return valueOf(null, { ...at, line: there, path: `${origin.path}.${path}` });
    },
    plain: () => node?.toJSON() ?? null,
  };
}

type Entries = readonly (readonly [string, Value])[];

function entriesOf(node: Node | null, origin: Origin, fail: (message: string) => never): Entries {
  if (isAlias(node)) return fail('must be written out: aliases are not read');
  if (!isMap<Node, Node | null>(node)) return fail('must be a mapping');
  return node.items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : '';
    const line = lineOfNode(key, origin.lines);
    const path = origin.path === '' ? name : `${origin.path}.${name}`;
    return [name, valueOf(value, { ...origin, line, path })];
  });
}

function fieldsOf(
  entries: Entries,
  known: readonly string[],
  fail: (message: string) => never,
): Fields {
  for (const [name, value] of entries) {
    if (known.includes(name)) continue;
    value.fail(`is unknown here; there are ${known.join(', ')}${didYouMean(name, known)}`);
  }
  const get = (name: string): Value | undefined => entries.find(([each]) => each === name)?.[1];
  return {
    names: entries.map(([name]) => name),
    get,
    need: (name) => get(name) ?? fail(`${name} is missing`),
  };
}
