/**
 * Whether a key fits a pattern of a SOPS file, as Go's regexp would say: in time that is proportional
 * to both, whatever the pattern.
 */
export interface KeyPattern {
  fits(key: string): boolean;
}

/** Of a pattern, in characters; and of a key, beyond which nothing fits. */
const PATTERN_MAX = 100;
const KEY_MAX = 1_000;
const DEPTH_MAX = 20;
const KNOWN_MAX = 100_000;

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
  // Most keys of a file are the same few.
  const known = new Map<string, boolean>();
  return {
    fits(key) {
      const before = known.get(key);
      if (before !== undefined) return before;
      const found = key.length <= KEY_MAX && runs(program, [...key].map(fold));
      if (known.size < KNOWN_MAX) known.set(key, found);
      return found;
    },
  };
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

/** All ways at once: the places in the program for each letter of the key, each of them once. */
function runs(program: readonly Instruction[], key: readonly (readonly string[])[]): boolean {
  /** By place, the letter at which it was noted last. */
  const noted = new Int32Array(program.length).fill(-1);
  let places: number[] = [];
  for (let at = 0; at <= key.length; at += 1) {
    const next: number[] = [];
    const note = (place: number, when: number, list: number[]): void => {
      if ((noted[place] ?? when) >= when) return;
      noted[place] = when;
      list.push(place);
    };
    // It may begin at any letter.
    note(0, at, places);
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] ?? 0;
      const instruction = program[place];
      if (instruction === undefined) continue;
      switch (instruction.kind) {
        case 'match':
          return true;
        case 'letter':
          if (key[at]?.some(instruction.has)) next.push(place + 1);
          break;
        case 'begin':
          if (at === 0) note(place + 1, at, places);
          break;
        case 'end':
          if (at === key.length) note(place + 1, at, places);
          break;
        case 'split':
          note(place + 1, at, places);
          note(instruction.to, at, places);
          break;
        case 'jump':
          note(instruction.to, at, places);
      }
    }
    places = [];
    for (const place of next) note(place, at + 1, places);
  }
  return false;
}
