/** Hosts of lines that tell of the play, and of what befalls all, in no order of their own. */
const STAGES: readonly string[] = ['network', 'world'];

/** Whether nothing on the line's own host follows from it: answers, for one, change nothing. */
export function isEnd({ host, kind }: { readonly host: string; readonly kind: string }): boolean {
  return kind === 'serves' || STAGES.includes(host);
}

/**
 * Who can know of what: for each host its last line, and the lines elsewhere that it has learned of
 * since. From these come the causes of a line and its hybrid logical clock.
 *
 * A hybrid logical clock is (wall time, tick): greater than the clock of everything that went
 * before. Hosts read wrong clocks, so the true virtual time is used: no message arrives before it
 * is sent, so only lines of the same moment need the tick.
 */
export class Knowledge {
  /** Per line. */
  readonly #hosts: string[] = [];
  readonly #kinds: string[] = [];
  readonly #atMs: number[] = [];
  readonly #ticks: number[] = [];
  /** By host: its last line that anything can follow from, and its last line of all. */
  readonly #last = new Map<string, number>();
  readonly #newest = new Map<string, number>();
  /**
   * By host: what it knows of others and has not told of yet. Of each host the newest line is
   * enough; those from which nothing follows there stand for themselves.
   */
  readonly #learned = new Map<string, Map<string, number>>();

  /** The next line of a host, its number being one more than the last one's. */
  extend(next: {
    readonly line: number;
    readonly host: string;
    readonly atMs: number;
    readonly causes: readonly number[];
    readonly kind: string;
  }): { readonly tick: number; readonly causes: readonly number[] } {
    const { line, host, kind, atMs } = next;
    // Those that are named come first: they are the message itself.
    const named = next.causes.filter((each) => this.#hosts[each] !== undefined);
    const learned = [...(this.#learned.get(host)?.values() ?? [])].toSorted((a, b) => a - b);
    const causes = [...new Set([...named, ...learned])];
    const newest = this.#newest.get(host);
    const sameMoment = [...causes, ...(newest === undefined ? [] : [newest])]
      .filter((each) => this.#atMs[each] === atMs)
      .map((each) => this.#ticks[each] ?? 0);
    const tick = Math.max(-1, ...sameMoment) + 1;
    this.#hosts[line] = host;
    this.#kinds[line] = kind;
    this.#atMs[line] = atMs;
    this.#ticks[line] = tick;
    this.#newest.set(host, line);
    if (isEnd({ host, kind })) return { tick, causes };
    this.#last.set(host, line);
    this.#learned.delete(host);
    return { tick, causes };
  }

  /** In the order of their first lines. */
  hosts(): readonly string[] {
    return [...this.#newest.keys()];
  }

  of(host: string): readonly number[] {
    const last = this.#last.get(host);
    return [...(last === undefined ? [] : [last]), ...(this.#learned.get(host)?.values() ?? [])];
  }

  learn(host: string, lines: readonly number[]): void {
    for (const line of lines) {
      const origin = this.#hosts[line];
      if (origin === undefined || origin === host) continue;
      const learned = this.#learned.get(host) ?? new Map<string, number>();
      this.#learned.set(host, learned);
      // Whoever knows of a line knows all that came before it on its host.
      const key = isEnd({ host: origin, kind: this.#kinds[line] ?? '' }) ? `#${line}` : origin;
      if (line > (learned.get(key) ?? -1)) learned.set(key, line);
    }
  }
}
