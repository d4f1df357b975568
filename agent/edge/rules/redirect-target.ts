import { decodePath, encodePath } from '../http/request-target.ts';
import type { Captures } from './path-pattern.ts';
import { fillPlaceholders, splitPlaceholders } from './placeholder-text.ts';

/** Where a rule leads to; see `compileTarget`. */
export interface Target {
  /** As `splitPlaceholders` has them; printable ASCII. */
  readonly pieces: readonly string[];
  /** A path of the site itself. */
  readonly isPath: boolean;
  /** It has a query of its own: that of the request is not passed on. */
  readonly hasQuery: boolean;
  /** With its `#`, or empty. */
  readonly fragment: string;
}

/**
 * A path or URL in which `:name` stands for what the pattern took as `name`; anything else that
 * looks so is mere text.
 */
export function compileTarget(text: string, names: readonly string[]): Target {
  const hash = text.indexOf('#');
  const base = hash < 0 ? text : text.slice(0, hash);
  const pieces = splitPlaceholders(base, names);
  return {
    pieces: pieces.map((piece, index) => (index % 2 === 0 ? encodeText(piece) : piece)),
    isPath: base.startsWith('/'),
    hasQuery: base.includes('?'),
    fragment: hash < 0 ? '' : encodeText(text.slice(hash)),
  };
}

/** For a `Location`: printable ASCII. `query`: the request's, with its `?`, or empty. */
export function locationOf(target: Target, captures: Captures, query: string): string {
  const { isPath, hasQuery, fragment } = target;
  const filled = fill(target, captures);
  // What a client sent must not turn a path of ours into another host's URL: `//evil.example`.
  const base = isPath ? withOneSlash(filled) : filled;
  return base + (hasQuery ? '' : query) + fragment;
}

/** A decoded path, to be looked up: without query and fragment. */
export function pathOf(target: Target, captures: Captures): string {
  const filled = fill(target, captures);
  const question = filled.indexOf('?');
  const path = withOneSlash(question < 0 ? filled : filled.slice(0, question));
  return decodePath(path) ?? path;
}

/** Begins with one slash only: `//evil.example` would be a host. */
export function withOneSlash(path: string): string {
  return path.startsWith('//') ? path.replace(/^\/+/u, '/') : path;
}

function fill({ pieces }: Target, captures: Captures): string {
  return fillPlaceholders(pieces, (name) => encodePath(captures.get(name) ?? ''));
}

function encodeText(text: string): string {
  return text.toWellFormed().replace(/[^!-~]+/gu, encodeURIComponent);
}
