import { matchesFilter, type PathFilter, parseFilter } from './jsonpath-filter.ts';

/** One step of a path: a field, some items, all of a list or mapping, or those that fit a filter. */
export type PathStep =
  | { readonly kind: 'field'; readonly name: string }
  /** Negative: from the end. */
  | { readonly kind: 'index'; readonly index: number }
  /** Up to before `end`. */
  | { readonly kind: 'slice'; readonly start: number; readonly end: number | undefined }
  | { readonly kind: 'all' }
  /** All values of that name, however deep. */
  | { readonly kind: 'deep'; readonly name: string }
  | { readonly kind: 'filter'; readonly filter: PathFilter };

/** A template in pieces: texts to print as they are, paths to look up, and ranges over them. */
export type JsonPath = readonly Piece[];

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly PathStep[] }
  | { readonly kind: 'range'; readonly steps: readonly PathStep[]; readonly body: JsonPath };

/**
 * Parses kubectl's JSONPath templates: `{.a.b[0].c}`, `{.items[*].metadata.name}`, `{.a[1:3]}`,
 * `{..name}`, `{.items[?(@.spec.ttl>30)]}`, `{range .items[*]}…{end}`, `{.metadata.labels['app']}`,
 * `{.a\.b}`, `{"\n"}`, text around the braces, and a lone path without braces. Throws an Error that
 * says what is not understood.
 */
export function parseJsonPath(template: string): JsonPath {
  if (!/[{}]/.test(template)) return [{ kind: 'path', steps: parseSteps(template) }];
  const open: { readonly steps: readonly PathStep[]; readonly pieces: Piece[] }[] = [];
  const root: Piece[] = [];
  let pieces = root;
  for (const token of tokensOf(template)) {
    const [, range] = token.kind === 'path' ? (/^range\s+(.*)$/s.exec(token.text) ?? []) : [];
    if (token.kind === 'text') pieces.push({ kind: 'text', text: token.text });
    else if (range !== undefined) {
      open.push({ steps: parseSteps(range.trim()), pieces });
      pieces = [];
    } else if (token.text === 'end') {
      const begun = open.pop();
      if (begun === undefined) throw new Error('jsonpath: {end} without {range …}');
      begun.pieces.push({ kind: 'range', steps: begun.steps, body: pieces });
      pieces = begun.pieces;
    } else pieces.push({ kind: 'path', steps: parseSteps(token.text) });
  }
  if (open.length > 0) throw new Error('jsonpath: {range …} needs an {end}');
  return root;
}

/** Prints a template for a value; several results of one path are parted by spaces. */
export function renderJsonPath(template: JsonPath, value: unknown): string {
  return template
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      const found = select(piece.steps, value);
      if (piece.kind === 'path') return found.map(scalar).join(' ');
      return found.map((each) => renderJsonPath(piece.body, each)).join('');
    })
    .join('');
}

/** Every value that a path leads to, in order; none where a part of it is missing. */
export function select(steps: readonly PathStep[], value: unknown): readonly unknown[] {
  let found: readonly unknown[] = [value];
  for (const step of steps) found = found.flatMap((each) => follow(step, each));
  return found;
}

/** The steps of one path, with or without braces, e.g. for `--sort-by`. */
export function parsePath(text: string): readonly PathStep[] {
  const pieces = parseJsonPath(text);
  const [piece] = pieces;
  if (pieces.length !== 1 || piece?.kind !== 'path') {
    throw new Error(`jsonpath: "${text}" must be one path, e.g. {.metadata.name}`);
  }
  return piece.steps;
}

export function scalar(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

interface Token {
  readonly kind: 'text' | 'path';
  readonly text: string;
}

/** A text in quotes may hold braces; so may one within a path. */
const TOKEN =
  /\{\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"\s*|(?<path>(?:[^{}"']|"(?:[^"\\]|\\.)*"|'[^']*')*))\}|(?<text>[^{}]+)/y;

function tokensOf(template: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < template.length) {
    TOKEN.lastIndex = position;
    const groups = TOKEN.exec(template)?.groups;
    if (groups === undefined)
      throw new Error(`jsonpath: unbalanced braces at "${template.slice(position)}"`);
    position = TOKEN.lastIndex;
    const { quoted, path, text } = groups;
    if (path !== undefined) tokens.push({ kind: 'path', text: path.trim() });
    else tokens.push({ kind: 'text', text: text ?? unescaped(quoted ?? '') });
  }
  return tokens;
}

const STEP =
  /\.?\[\s*(?:(?<index>-?\d+)|(?<start>-?\d+)?:(?<end>-?\d+)?|(?<all>\*)|'(?<single>[^']*)'|"(?<double>[^"]*)"|\?\((?<filter>(?:[^()"']|"[^"]*"|'[^']*')*)\))\s*\]|\.?(?<star>\*)|\.\.(?<deep>[A-Za-z0-9_-]+)|\.?(?<name>(?:[^.[\]\\*'"\s]|\\.)+)/y;

function parseSteps(path: string): readonly PathStep[] {
  const text = path.replace(/^[$@]/, '');
  const steps: PathStep[] = [];
  // "." alone is the whole value.
  let position = text === '.' ? 1 : 0;
  while (position < text.length) {
    STEP.lastIndex = position;
    const groups = STEP.exec(text)?.groups;
    if (groups === undefined) {
      throw new Error(
        `jsonpath: "${text.slice(position)}" is not understood; write paths like {.items[*].metadata.name}`,
      );
    }
    position = STEP.lastIndex;
    steps.push(stepOf(groups));
  }
  return steps;
}

function stepOf(groups: Readonly<Record<string, string | undefined>>): PathStep {
  const { index, start, end, all, star, single, double, name, deep, filter } = groups;
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  if (all !== undefined || star !== undefined) return { kind: 'all' };
  if (deep !== undefined) return { kind: 'deep', name: deep };
  if (filter !== undefined) return { kind: 'filter', filter: parseFilter(filter, parsePath) };
  const field = single ?? double ?? name?.replaceAll(/\\(.)/g, '$1');
  if (field !== undefined) return { kind: 'field', name: field };
  const until = end === undefined ? undefined : Number(end);
  return { kind: 'slice', start: Number(start ?? 0), end: until };
}

function follow(step: PathStep, value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  const items: readonly unknown[] = isList ? value : Object.values(value);
  switch (step.kind) {
    case 'all':
      return items;
    case 'index': {
      const item = isList ? items.at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    case 'slice':
      return isList ? items.slice(step.start, step.end) : [];
    case 'filter':
      return isList ? items.filter((item) => matchesFilter(step.filter, item, select)) : [];
    case 'deep':
      return [
        ...follow({ kind: 'field', name: step.name }, value),
        ...items.flatMap((item) => follow(step, item)),
      ];
    case 'field':
      if (isList || !Object.hasOwn(value, step.name)) return [];
      return [(value as Readonly<Record<string, unknown>>)[step.name]];
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
