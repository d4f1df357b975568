import type { LineKind } from '../../engine/trace.ts';
import { closure, nearestCauses } from '../causes.ts';
import { relatedTo } from '../subjects.ts';
import { Edges } from './edges.ts';
import { parseFilter } from './filter.ts';
import { evenLayout, type Layout, timeLayout } from './layout.ts';
import type { Run } from './run.ts';

/** What of the selected line's causes and effects is shown; `all`: everything, with or without. */
export type Scope = 'all' | 'why' | 'past' | 'future';

/** What somebody has chosen to see. Plain data; `View` is what comes of it. */
export interface Choice {
  readonly filter: string;
  readonly hiddenKinds: ReadonlySet<LineKind>;
  readonly hiddenHosts: ReadonlySet<string>;
  readonly noise: 'fold' | 'show';
  readonly scope: Scope;
  readonly spacing: 'even' | 'time';
  /** Height of a row, for `even`. */
  readonly rowPx: number;
  /** For `time`. */
  readonly pxPerMs: number;
  readonly selected: number | undefined;
}

export const FIRST_CHOICE: Choice = {
  ...{ filter: '', hiddenKinds: new Set<LineKind>(), hiddenHosts: new Set<string>() },
  ...{ noise: 'fold', scope: 'all', spacing: 'even', rowPx: 20, pxPerMs: 0.1, selected: undefined },
};

/** By line: what it is to the selected one. */
export const RELATION = { none: 0, past: 1, future: 2, self: 3 } as const;

export interface View {
  readonly layout: Layout;
  readonly edges: Edges;
  /** How many lines of each kind there are, but for what hides kinds. */
  readonly counts: ReadonlyMap<LineKind, number>;
}

/** So many causes explain enough. */
const NEAREST_MAX = 60;

export function viewOf(run: Run, choice: Choice): View {
  const { noise, hiddenKinds, hiddenHosts, selected, spacing, rowPx, pxPerMs } = choice;
  const isFound = parseFilter(choice.filter, run);
  const inScope = scopeOf(run, choice);
  const counts = new Map<LineKind, number>();
  const numbers: number[] = [];
  for (const [number, { kind, host }] of run.lines.entries()) {
    const isKept = number === selected || kind === 'violation';
    if (!isKept && (!inScope(number) || hiddenHosts.has(host) || !isFound(number))) continue;
    if (!isKept && noise === 'fold' && run.noises[number] !== undefined) continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (isKept || !hiddenKinds.has(kind)) numbers.push(number);
  }
  const layout =
    spacing === 'even'
      ? evenLayout(run.lines, numbers, rowPx)
      : timeLayout(run.lines, numbers, pxPerMs);
  return { layout, counts, edges: new Edges(run, layout) };
}

function scopeOf(run: Run, { scope, selected }: Choice): (number: number) => boolean {
  if (scope === 'all' || selected === undefined) return () => true;
  const numbers = new Set(linesInScope(run, scope, selected));
  return (number) => numbers.has(number);
}

function linesInScope(run: Run, scope: Exclude<Scope, 'all'>, selected: number): readonly number[] {
  if (scope === 'past') return closure(run.graph.before, selected);
  if (scope === 'future') return closure(run.graph.after, selected);
  const isNoise = (number: number): boolean => run.noises[number] !== undefined;
  const isRelated = relatedTo(run.lines, selected);
  return nearestCauses(run.lines, selected, { max: NEAREST_MAX, isNoise, isRelated });
}

/** Of every line what it is to this one. */
export function relationsTo(run: Run, selected: number | undefined): Uint8Array {
  const relations = new Uint8Array(run.lines.length);
  if (selected === undefined) return relations;
  for (const number of closure(run.graph.before, selected)) relations[number] = RELATION.past;
  for (const number of closure(run.graph.after, selected)) relations[number] = RELATION.future;
  relations[selected] = RELATION.self;
  return relations;
}
