import type { Resource } from '../../api/object.ts';
import { type PathStep, select } from '../render/jsonpath.ts';

/** By the first value that a path leads to; as they come where there is no path. */
export function sorted(
  objects: readonly Resource[],
  steps: readonly PathStep[] | undefined,
): readonly Resource[] {
  if (steps === undefined) return objects;
  return objects.toSorted((one, other) => compare(select(steps, one)[0], select(steps, other)[0]));
}

/** Numbers by size, all else by its text; what is missing comes first. */
function compare(one: unknown, other: unknown): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  const [a, b] = [sortText(one), sortText(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
