/** A path, or a prefix that was written with a final `*`. */
export interface Pattern {
  readonly kind: 'exact' | 'prefix';
  readonly text: string;
}

export function compilePattern(text: string): Pattern {
  return text.endsWith('*') ? { kind: 'prefix', text: text.slice(0, -1) } : { kind: 'exact', text };
}

/** What the `*` stands for in this path (empty for an exact path); undefined: it does not fit. */
export function matchPattern(pattern: Pattern, path: string): string | undefined {
  if (pattern.kind === 'exact') return path === pattern.text ? '' : undefined;
  return path.startsWith(pattern.text) ? path.slice(pattern.text.length) : undefined;
}
