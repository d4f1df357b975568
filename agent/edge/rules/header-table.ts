import { isSendable } from '../../../runtime/release-rules/header-names.ts';
import type { FileHeaders } from '../../../runtime/release-rules/headers-file.ts';
import { encodePath } from '../http/request-target.ts';
import type { EdgeHeaderRule } from '../snapshot.ts';
import {
  type Address,
  type Captures,
  compilePattern,
  fitsPattern,
  matchPattern,
  type Pattern,
} from './path-pattern.ts';
import { fillPlaceholders, splitPlaceholders } from './placeholder-text.ts';

/** Rules for headers, those of the release before those of the spec, which has the last word. */
export interface HeaderTable {
  readonly file: readonly CompiledHeaders[];
  readonly spec: readonly CompiledHeader[];
  readonly isEmpty: boolean;
}

interface CompiledHeaders {
  readonly path: Pattern;
  readonly detach: readonly string[];
  readonly set: readonly { readonly name: string; readonly pieces: readonly string[] }[];
}

interface CompiledHeader {
  readonly path: Pattern;
  /** In lower case. */
  readonly name: string;
  /** Empty: it is taken away. */
  readonly value: string;
}

/** What cannot be sent is left out. Pure; linear in rules. */
export function compileHeaders(
  spec: readonly EdgeHeaderRule[],
  file: readonly FileHeaders[],
): HeaderTable {
  return {
    file: file.map(({ path, detach, set }) => {
      const pattern = compilePattern(path);
      const headers = set
        .filter(([name, value]) => isSendable(name, value))
        .map(([name, value]) => ({ name, pieces: splitPlaceholders(value, pattern.names) }));
      return { path: pattern, detach, set: headers };
    }),
    spec: spec
      .filter(({ name, value }) => isSendable(name, value))
      .map(({ path, name, value }) => ({
        path: compilePattern(path),
        name: name.toLowerCase(),
        value,
      })),
    isEmpty: spec.length + file.length === 0,
  };
}

/** Header lines by name, as rules change them one after the other. */
export type HeaderLines = Map<string, readonly string[]>;

/** `skips`: names that no rule changes for this answer. */
export function applyHeaderRules(
  lines: HeaderLines,
  { file, spec }: HeaderTable,
  { address, skips }: { readonly address: Address; readonly skips: (name: string) => boolean },
): void {
  const joined = new Set<string>();
  for (const { path, detach, set } of file) {
    const captures = matchPattern(path, address);
    if (captures === undefined) continue;
    for (const name of detach) {
      if (name !== 'vary' && !skips(name)) lines.delete(name);
      joined.delete(name);
    }
    for (const { name, pieces } of set) {
      if (skips(name)) continue;
      const value = fillPlaceholders(pieces, (each) => valueOf(captures, each));
      const before = joined.has(name) || name === 'vary' ? (lines.get(name) ?? []) : [];
      lines.set(name, [...before, value]);
      joined.add(name);
    }
  }
  for (const { path, name, value } of spec) {
    if (skips(name) || !fitsPattern(path, address)) continue;
    // Other caches must go on telling compressed forms apart (RFC 9110 §12.5.5).
    if (name === 'vary') lines.set(name, [...(lines.get(name) ?? []), value].filter(Boolean));
    else if (value === '') lines.delete(name);
    else lines.set(name, [value]);
  }
}

/** Percent-encoded: what a client sent cannot end a line. */
function valueOf(captures: Captures, name: string): string {
  return encodePath(captures.get(name) ?? '');
}
