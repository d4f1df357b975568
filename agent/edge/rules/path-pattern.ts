import { PLACEHOLDER } from '../../../api/path-pattern.ts';

/** Which paths a rule is for; see `compilePattern`. */
export interface Pattern {
  readonly kind: 'exact' | 'prefix' | 'mixed';
  /** The path, or what it begins with. */
  readonly text: string;
  /** Of a mixed one. */
  readonly expression: RegExp | undefined;
  /** What its groups are called. */
  readonly names: readonly string[];
  /** It is matched against host and path: `//blog.example.com/about`. */
  readonly isAbsolute: boolean;
}

/** What a pattern took from a path, decoded, by name; what its `*` did is called `splat`. */
export type Captures = ReadonlyMap<string, string>;

export interface Address {
  /** Lower case, without port. */
  readonly host: string;
  /** Decoded. */
  readonly path: string;
}

/**
 * A path in which `:name` stands for one part and one `*` for anything: `/news/:year/*`; or such a
 * URL, whose scheme does not count. Percent-encoding is decoded, as paths are. What it takes to
 * match grows with the length of the path alone: of `*` there is one, in host and path together, and
 * `:name` ends at a slash. In a host neither goes beyond it, and `:name` ends at a dot.
 */
export function compilePattern(text: string): Pattern {
  const absolute = /^https?:\/\/(?<host>[^/]*)(?<path>.*)$/isu.exec(text)?.groups;
  const isAbsolute = absolute !== undefined;
  const whole = isAbsolute
    ? `//${absolute['host']?.toLowerCase() ?? ''}${absolute['path'] || '/'}`
    : text;
  const pieces = whole.split(PLACEHOLDER);
  const star = whole.indexOf('*');
  if (pieces.length === 1 && (star < 0 || star === whole.length - 1)) {
    const kind = star < 0 ? 'exact' : 'prefix';
    const names = kind === 'exact' ? [] : ['splat'];
    const fixed = decodeLiteral(kind === 'exact' ? whole : whole.slice(0, -1));
    return { kind, text: fixed, expression: undefined, names, isAbsolute };
  }
  const { source, names } = expressionOf(pieces, { isAbsolute });
  const expression = new RegExp(`^${source}$`, 'su');
  const [first = ''] = pieces;
  const fixed = decodeLiteral(first.slice(0, first.includes('*') ? first.indexOf('*') : undefined));
  return { kind: 'mixed', text: fixed, expression, names, isAbsolute };
}

/** What the pattern takes from this path; undefined: it does not fit. */
export function matchPattern(pattern: Pattern, address: Address): Captures | undefined {
  const { kind, text, expression, names } = pattern;
  const subject = subjectOf(pattern, address);
  if (kind === 'exact') return subject === text ? NOTHING : undefined;
  if (kind === 'prefix')
    return subject.startsWith(text) ? new Map([['splat', subject.slice(text.length)]]) : undefined;
  // Of many rules nearly all end here.
  if (!subject.startsWith(text)) return undefined;
  const match = expression?.exec(subject);
  if (match === undefined || match === null) return undefined;
  return new Map(names.map((name, index) => [name, match[index + 1] ?? '']));
}

/** Whether it fits, for who has no use for what it takes. */
export function fitsPattern(pattern: Pattern, address: Address): boolean {
  const { kind, text, expression } = pattern;
  const subject = subjectOf(pattern, address);
  if (kind === 'exact') return subject === text;
  if (!subject.startsWith(text)) return false;
  return kind === 'prefix' || expression?.test(subject) === true;
}

function subjectOf({ isAbsolute }: Pattern, { host, path }: Address): string {
  return isAbsolute ? `//${host}${path}` : path;
}

const NOTHING: Captures = new Map();

/** `pieces`: text and, at odd places, names. */
function expressionOf(
  pieces: readonly string[],
  { isAbsolute }: Pick<Pattern, 'isAbsolute'>,
): { readonly source: string; readonly names: readonly string[] } {
  const names: string[] = [];
  /** Of text from its beginning on, whether that ends within the host. */
  const isInHost = (text: string): boolean => isAbsolute && !text.slice(2).includes('/');
  let before = '';
  const parts = pieces.map((piece, index) => {
    const start = before;
    before += piece;
    if (index % 2 === 1) {
      names.push(piece);
      return isInHost(start) ? '([^/.]+)' : '([^/]+)';
    }
    const star = names.includes('splat') ? -1 : piece.indexOf('*');
    if (star < 0) return escaped(piece);
    names.push('splat');
    const splat = isInHost(start + piece.slice(0, star)) ? '([^/]*)' : '(.*)';
    return `${escaped(piece.slice(0, star))}${splat}${escaped(piece.slice(star + 1))}`;
  });
  return { source: parts.join(''), names };
}

function escaped(literal: string): string {
  return decodeLiteral(literal).replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}

function decodeLiteral(literal: string): string {
  const whole = literal.toWellFormed();
  if (!whole.includes('%')) return whole.normalize('NFC');
  try {
    return decodeURIComponent(whole).normalize('NFC');
  } catch {
    return whole.normalize('NFC');
  }
}
