/** One step of a path: a field, an index (negative: from the end) or all of a list or mapping. */
export type PathStep =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' };

/** A template in pieces: texts to print as they are, and paths to look up. */
export type JsonPath = readonly (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly PathStep[] }
)[];

/**
 * Parses the part of kubectl's JSONPath templates that people use: `{.a.b[0].c}`,
 * `{.items[*].metadata.name}`, `{.metadata.labels['app']}`, `{.a\.b}`, `{"\n"}`, text around the
 * braces, and a lone path without braces. Throws an Error that says what is not understood.
 */
export function parseJsonPath(template: string): JsonPath {
  if (!/[{}]/.test(template)) return [{ kind: 'path', steps: parseSteps(template) }];
  const pieces: JsonPath[number][] = [];
  const pattern = /\{\s*(?:"((?:[^"\\]|\\.)*)"|([^{}]*))\}|([^{}]+)/gy;
  while (pattern.lastIndex < template.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(template);
    if (match === null)
      throw new Error(`jsonpath: unbalanced braces at "${template.slice(start)}"`);
    const [, quoted, path, text] = match;
    if (path === undefined) pieces.push({ kind: 'text', text: text ?? unescaped(quoted ?? '') });
    else pieces.push({ kind: 'path', steps: parseSteps(path.trim()) });
  }
  return pieces;
}

/** Prints a template for a value; several results of one path are parted by spaces. */
export function renderJsonPath(template: JsonPath, value: unknown): string {
  return template
    .map((piece) =>
      piece.kind === 'text' ? piece.text : select(piece.steps, value).map(scalar).join(' '),
    )
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

const STEP =
  /\.?\[\s*(?:(?<index>-?\d+)|(?<all>\*)|'(?<single>[^']*)'|"(?<double>[^"]*)")\s*\]|\.?(?<star>\*)|\.?(?<name>(?:[^.[\]\\*'"\s]|\\.)+)/y;

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
  const { index, all, star, single, double, name } = groups;
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  if (all !== undefined || star !== undefined) return { kind: 'all' };
  const field = single ?? double ?? name?.replaceAll(/\\(.)/g, '$1') ?? '';
  return { kind: 'field', name: field };
}

function follow(step: PathStep, value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  switch (step.kind) {
    case 'all':
      return Array.isArray(value) ? value : Object.values(value);
    case 'index': {
      const item: unknown = Array.isArray(value) ? value.at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    case 'field':
      if (Array.isArray(value) || !Object.hasOwn(value, step.name)) return [];
      return [(value as Readonly<Record<string, unknown>>)[step.name]];
  }
}

function scalar(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
