import { stringify } from 'yaml';

/** The YAML of an object, or of several as documents; keys in a stable order. */
export function renderYaml(value: unknown): string {
  return stringify(ordered(value), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** The JSON of a value, indented; keys in a stable order. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(ordered(value), undefined, 2)}\n`;
}

/** Reading order first, the rest by the alphabet; lists keep theirs. */
export function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([one], [other]) => rank(one) - rank(other) || (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, ordered(field)]));
}

const FIRST = ['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'type', 'spec', 'status'];

function rank(key: string): number {
  const index = FIRST.indexOf(key);
  return index === -1 ? FIRST.length : index;
}
