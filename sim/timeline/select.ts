import { LINE_KINDS, type LineKind, type TraceLine } from '../engine/trace.ts';
import { type Noise, noiseOf } from './noise.ts';

/** Which lines somebody wants to see. What is left out does not narrow. */
export interface Selection {
  readonly hosts?: readonly string[] | undefined;
  readonly kinds?: readonly LineKind[] | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** In the words or the fields, in any case. */
  readonly grep?: string | undefined;
  /** `fold`: heartbeats and the like are only counted. Left out: `fold`. */
  readonly noise?: 'fold' | 'show' | undefined;
}

export type Item =
  | { readonly kind: 'line'; readonly number: number }
  | { readonly kind: 'fold'; readonly counts: ReadonlyMap<Noise, number> };

/** A few lines left out are not worth a line that says so: they are told with the next ones. */
const FOLD_MIN = 8;

/** The lines that match, in order, and how many of each kind of noise lie between them. */
export function select(lines: readonly TraceLine[], selection: Selection): readonly Item[] {
  const { kinds, grep, noise = 'fold' } = selection;
  // Who names a kind, or a word, wants all of it.
  const folds = noise === 'fold' && grep === undefined;
  const noises = folds ? noiseOf(lines) : [];
  const matches = matcher(selection);
  const items: Item[] = [];
  let counts = new Map<Noise, number>();
  const fold = (min: number): void => {
    const folded = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (folded < min) return;
    items.push({ kind: 'fold', counts });
    counts = new Map();
  };
  for (const [number, line] of lines.entries()) {
    if (!matches(line)) continue;
    const why = kinds?.includes(line.kind) === true ? undefined : noises[number];
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
    else {
      fold(FOLD_MIN);
      items.push({ kind: 'line', number });
    }
  }
  fold(1);
  return items;
}

function matcher(selection: Selection): (line: TraceLine) => boolean {
  const { hosts, kinds, fromMs = -Infinity, toMs = Infinity, grep } = selection;
  const word = grep?.toLowerCase();
  return (line) =>
    line.kind === 'violation' ||
    (line.atMs >= fromMs &&
      line.atMs <= toMs &&
      (hosts === undefined || hosts.includes(line.host)) &&
      (kinds === undefined || kinds.includes(line.kind)) &&
      (word === undefined || textOf(line).toLowerCase().includes(word)));
}

function textOf({ host, what, fields }: TraceLine): string {
  return `${host} ${what} ${fields === undefined ? '' : JSON.stringify(fields)}`;
}

/** "12s", "1500ms", "12.5" (seconds) in milliseconds; undefined for anything else. */
export function parseMoment(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * ({ ms: 1, s: 1_000, m: 60_000 }[unit ?? 's'] ?? 1);
}

export function isLineKind(text: string): text is LineKind {
  return LINE_KINDS.some((kind) => kind === text);
}
