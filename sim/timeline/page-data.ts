import type { LineKind, LineLevel, TraceLine } from '../engine/trace.ts';

/** What the page tells of a run besides its lines. */
export interface PageStory {
  /** "seed 7" */
  readonly title: string;
  /** Undefined: it held. */
  readonly failure: string | undefined;
  /** The command that shows the run again. */
  readonly replay: string;
  /** What the run was drawn to be: "doms" → "2". */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The faults that happen in it, with how hard. */
  readonly faults: readonly (readonly [name: string, value: string])[];
}

/** As it lies in the page, where names would take more room than what they name. */
export interface PageData {
  readonly story: PageStory;
  /** In the order of their lanes. */
  readonly hosts: readonly string[];
  readonly kinds: readonly LineKind[];
  readonly lines: readonly PageLine[];
}

export type PageLine = readonly [
  atMs: number,
  tick: number,
  /** Indexes of `hosts` and `kinds`. */
  host: number,
  kind: number,
  what: string,
  causes: readonly number[],
  level?: LineLevel | 0,
  fields?: TraceLine['fields'],
];

export function packLines(
  lines: readonly TraceLine[],
  { hosts, kinds }: Pick<PageData, 'hosts' | 'kinds'>,
): readonly PageLine[] {
  const hostAt = new Map(hosts.map((host, index) => [host, index]));
  const kindAt = new Map(kinds.map((kind, index) => [kind, index]));
  return lines.map(({ atMs, tick, host, kind, what, causes, level, fields }) => {
    const head = [atMs, tick, hostAt.get(host) ?? 0, kindAt.get(kind) ?? 0, what, causes] as const;
    if (fields !== undefined) return [...head, level ?? 0, fields];
    return level === undefined ? head : [...head, level];
  });
}

export function unpackLines({ hosts, kinds, lines }: PageData): readonly TraceLine[] {
  return lines.map(([atMs, tick, host, kind, what, causes, level, fields]) => ({
    ...{ atMs, tick, what, causes },
    host: hosts[host] ?? '',
    kind: kinds[kind] ?? 'world',
    ...(level === undefined || level === 0 ? {} : { level }),
    ...(fields === undefined ? {} : { fields }),
  }));
}
