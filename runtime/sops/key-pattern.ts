/**
 * Whether a key fits a pattern of a SOPS file, as Go's regexp would say: in time that is proportional
 * to both, whatever the pattern.
 */
export interface KeyPattern {
  fits(key: string): boolean;
}

/** Of a pattern, in characters; and of a key, beyond which nothing fits. */
const PATTERN_MAX = 200;
const KEY_MAX = 1_000;
const DEPTH_MAX = 20;

/**
 * Letters, `.`, `[a-z]`, `\d`, `\w`, `\s`, `(…)`, `(?:…)`, `|`, `*`, `+`, `?`, `^`, `$`, and `(?i)` in
 * front. Undefined: it is none, or has more in it.
 */
export function parseKeyPattern(text: string): KeyPattern | undefined {
  if (text.length > PATTERN_MAX) return undefined;
  const ignoresCase = text.startsWith('(?i)');
  const parser = new Parser([...(ignoresCase ? text.slice(4) : text)]);
  const node = parser.parse();
  if (node === undefined) return undefined;
  const program: Instruction[] = [];
  emit(node, program);
  program.push({ kind: 'match' });
  const fold = (letter: string): readonly string[] =>
    ignoresCase ? [letter.toLowerCase(), letter.toUpperCase()] : [letter];
  return { fits: (key) => key.length <= KEY_MAX && runs(program, [...key].map(fold)) };
}

type Letters = (letter: string) => boolean;

type Node =
  | { readonly kind: 'letter'; readonly has: Letters }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence' | 'either'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: 0 | 1; readonly max: 1 | 2 };

/** `next`: where to go on, besides the instruction after it. */
type Instruction =
  | { readonly kind: 'letter'; readonly has: Letters }
  | { readonly kind: 'begin' | 'end' | 'match' }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'split'; to: number };

const CLASSES: Readonly<Record<string, Letters>> = {
  d: (letter) => /^[0-9]$/.test(letter),
  w: (letter) => /^[0-9A-Za-z_]$/.test(letter),
  s: (letter) => /^[\t\n\f\r ]$/.test(letter),
};

class Parser {
  readonly #letters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(letters: readonly string[]) {
    this.#letters = letters;
  }

  parse(): Node | undefined {
    const node = this.#either();
    return this.#at === this.#letters.length ? node : undefined;
  }

  #take(letter: string): boolean {
    if (this.#letters[this.#at] !== letter) return false;
    this.#at += 1;
    return true;
  }

  #either(): Node | undefined {
    const nodes: Node[] = [];
    do {
      const node = this.#sequence();
      if (node === undefined) return undefined;
      nodes.push(node);
    } while (this.#take('|'));
    return { kind: 'either', nodes };
  }

  #sequence(): Node | undefined {
    const nodes: Node[] = [];
    for (;;) {
      const letter = this.#letters[this.#at];
      if (letter === undefined || letter === '|' || letter === ')')
        return { kind: 'sequence', nodes };
      const node = this.#repeated();
      if (node === undefined) return undefined;
      nodes.push(node);
    }
  }

  #repeated(): Node | undefined {
    const node = this.#one();
    if (node === undefined) return undefined;
    const [min, max] = this.#take('*')
      ? ([0, 2] as const)
      : this.#take('+')
        ? ([1, 2] as const)
        : this.#take('?')
          ? ([0, 1] as const)
          : [undefined, undefined];
    if (min === undefined) return node;
    // The same fits, as few as can be or as many.
    this.#take('?');
    return { kind: 'repeat', node, min, max };
  }

  #one(): Node | undefined {
    if (this.#take('^')) return { kind: 'begin' };
    if (this.#take('$')) return { kind: 'end' };
    if (this.#take('.')) return { kind: 'letter', has: (letter) => letter !== '\n' };
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return this.#oneOf();
    if (this.#take('\\')) return this.#escaped();
    const letter = this.#letters[this.#at];
    if (letter === undefined || '*+?{}])'.includes(letter)) return undefined;
    this.#at += 1;
    return { kind: 'letter', has: (each) => each === letter };
  }

  #group(): Node | undefined {
    if (this.#take('?') && !this.#take(':')) return undefined;
    this.#depth += 1;
    const node = this.#depth > DEPTH_MAX ? undefined : this.#either();
    this.#depth -= 1;
    return this.#take(')') ? node : undefined;
  }

  #escaped(): Node | undefined {
    const letter = this.#letters[this.#at];
    if (letter === undefined) return undefined;
    this.#at += 1;
    const known = CLASSES[letter];
    if (known !== undefined) return { kind: 'letter', has: known };
    return /^[!-/:-@[-`{-~]$/.test(letter)
      ? { kind: 'letter', has: (each) => each === letter }
      : undefined;
  }

  #oneOf(): Node | undefined {
    const isNot = this.#take('^');
    const ranges: (readonly [from: string, to: string])[] = [];
    while (!this.#take(']')) {
      const from = this.#letters[this.#at];
      if (from === undefined || from === '[' || from === '\\') return undefined;
      this.#at += 1;
      const isRange = this.#letters[this.#at] === '-' && this.#letters[this.#at + 1] !== ']';
      const to = isRange ? this.#letters[this.#at + 1] : from;
      if (to === undefined || to < from || to === '\\') return undefined;
      if (isRange) this.#at += 2;
      ranges.push([from, to]);
    }
    if (ranges.length === 0) return undefined;
    const has: Letters = (letter) => ranges.some(([from, to]) => from <= letter && letter <= to);
    return { kind: 'letter', has: isNot ? (letter) => !has(letter) : has };
  }
}

function emit(node: Node, program: Instruction[]): void {
  switch (node.kind) {
    case 'letter':
    case 'begin':
    case 'end':
      program.push(node);
      return;
    case 'sequence':
      for (const each of node.nodes) emit(each, program);
      return;
    case 'either':
      emitEither(node.nodes, program);
      return;
    case 'repeat': {
      const start = program.length;
      const split: Instruction = { kind: 'split', to: 0 };
      if (node.min === 0) program.push(split);
      emit(node.node, program);
      if (node.min === 1) program.push({ kind: 'split', to: start });
      else if (node.max === 2) program.push({ kind: 'jump', to: start });
      split.to = program.length;
    }
  }
}

function emitEither(nodes: readonly Node[], program: Instruction[]): void {
  const jumps: { kind: 'jump'; to: number }[] = [];
  for (const [index, node] of nodes.entries()) {
    const split: Instruction = { kind: 'split', to: 0 };
    if (index < nodes.length - 1) program.push(split);
    emit(node, program);
    const jump = { kind: 'jump' as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.to = program.length;
  }
  for (const jump of jumps) jump.to = program.length;
}

/** All ways at once: a set of places in the program for each letter of the key. */
function runs(program: readonly Instruction[], key: readonly (readonly string[])[]): boolean {
  let places = new Set<number>();
  for (let at = 0; at <= key.length; at += 1) {
    const letters = key[at];
    // It may begin at any letter.
    places.add(0);
    const next = new Set<number>();
    for (const place of places) {
      const instruction = program[place];
      if (instruction === undefined) continue;
      switch (instruction.kind) {
        case 'match':
          return true;
        case 'letter':
          if (letters?.some(instruction.has)) next.add(place + 1);
          break;
        case 'begin':
          if (at === 0) places.add(place + 1);
          break;
        case 'end':
          if (at === key.length) places.add(place + 1);
          break;
        case 'split':
          places.add(place + 1).add(instruction.to);
          break;
        case 'jump':
          places.add(instruction.to);
      }
    }
    places = next;
  }
  return false;
}
