import { isEnd } from '../engine/knowledge.ts';
import type { LineKind, TraceLine } from '../engine/trace.ts';

/** Of each line, by its number: the lines that it follows from at once, and those that follow. */
export interface CauseGraph {
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
}

/** What happened before what: on one host, and from host to host by what hosts told one another. */
export function causeGraph(
  lines: readonly Pick<TraceLine, 'host' | 'kind' | 'causes'>[],
): CauseGraph {
  const last = new Map<string, number>();
  const after: number[][] = lines.map(() => []);
  const before = lines.map(({ host, kind, causes }, number) => {
    const own = last.get(host);
    if (!isEnd({ host, kind })) last.set(host, number);
    const all = [...new Set([...causes, ...(own === undefined ? [] : [own])])];
    for (const each of all) after[each]?.push(number);
    return all;
  });
  return { before, after };
}

/** The numbers of all lines that may have had a part in this one, ascending, without itself. */
export function causalPast(lines: readonly TraceLine[], number: number): readonly number[] {
  return closure(causeGraph(lines).before, number);
}

/** The numbers of all lines in which this one may have had a part, ascending, without itself. */
export function causalFuture(lines: readonly TraceLine[], number: number): readonly number[] {
  return closure(causeGraph(lines).after, number);
}

export function closure(edges: CauseGraph['before'], number: number): readonly number[] {
  const found = new Set<number>();
  const open = [number];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    for (const next of edges[each] ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return [...found].toSorted((a, b) => a - b);
}

/**
 * A vector clock in words: by host the last line that this line's host could know of, itself left
 * out; sorted by host.
 */
export function knowledgeAt(
  lines: readonly Pick<TraceLine, 'host'>[],
  { before }: CauseGraph,
  number: number,
): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const each of closure(before, number)) last.set(lines[each]?.host ?? '', each);
  last.delete(lines[number]?.host ?? '');
  return new Map([...last].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What makes a host another one than before, whatever it speaks of. */
const TURNS: readonly LineKind[] = [
  ...(['starts', 'crashes', 'pauses', 'wakes', 'applies', 'fault'] as const),
];

export interface NearOptions {
  /** So many are told at most. */
  readonly max: number;
  /** Passed through, but not told. */
  readonly isNoise: (number: number) => boolean;
  /** What speaks of something else is a step further away. */
  readonly isRelated: (number: number) => boolean;
}

/**
 * How far a step back leads: the message that came from another host explains more than what this
 * one did before, and what is noise leads nowhere by itself.
 */
const STEPS = { own: { told: 2, noise: 0 }, message: { told: 1, noise: 2 } } as const;

/**
 * Of the causal past the lines that are fewest steps away, newest first: nearly all that ever
 * happened is in the past of a late line.
 */
export function nearestCauses(
  lines: readonly TraceLine[],
  number: number,
  { max, isNoise, isRelated }: NearOptions,
): readonly number[] {
  const { before } = causeGraph(lines);
  // By distance: lines to look at. Distances are small whole numbers, so buckets do.
  const buckets: number[][] = [[number]];
  const seen = new Set<number>();
  const told: number[] = [];
  for (let distance = 0; distance < buckets.length && told.length < max; distance += 1) {
    const bucket = (buckets[distance] ??= []);
    // It grows while it is gone through: what is noise takes no step.
    for (let at = 0; at < bucket.length && told.length < max; at += 1) {
      const each = bucket[at] ?? 0;
      if (seen.has(each)) continue;
      seen.add(each);
      const isTold = each !== number && !isNoise(each);
      if (isTold) told.push(each);
      for (const next of before[each] ?? []) {
        const steps = lines[next]?.host === lines[each]?.host ? STEPS.own : STEPS.message;
        const isTelling = isRelated(next) || TURNS.includes(lines[next]?.kind ?? 'world');
        const aside = isTelling || isNoise(next) ? 0 : 1;
        const step = steps[isTold || each === number ? 'told' : 'noise'] + aside;
        (buckets[distance + step] ??= []).push(next);
      }
    }
  }
  return told.toSorted((a, b) => b - a);
}
