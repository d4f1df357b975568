import type { TraceLine } from '../engine/trace.ts';

/** Why a line can be left out at first, in the words that count them. */
export type Noise =
  | 'heartbeats'
  | 'reports as before'
  | 'reconciled'
  | 'watched at once'
  | 'answers as before'
  | 'answers to nonsense'
  | 'refused as before'
  | 'debug lines';

/** An answer that was given within this time is no news. */
const FRESH_MS = 60_000;
/** A watch that shows a commit within this time is as it should be. */
const PROMPT_MS = 50;

/**
 * Of each line why it is noise; undefined: it is none. What broke an invariant at once never is.
 */
export function noiseOf(lines: readonly TraceLine[]): readonly (Noise | undefined)[] {
  const causes = lines.flatMap((line) => (line.kind === 'violation' ? line.causes : []));
  const guilty = new Set([...causes, ...causes.flatMap((cause) => namingOf(lines, cause))]);
  return noiseByKind(lines).map((noise, number) => (guilty.has(number) ? undefined : noise));
}

/** The answer that named the node that answered. */
function namingOf(lines: readonly TraceLine[], number: number): readonly number[] {
  const line = lines[number];
  const first = line?.causes.slice(0, 1) ?? [];
  return line?.kind === 'serves' ? first : [];
}

function noiseByKind(lines: readonly TraceLine[]): readonly (Noise | undefined)[] {
  const reports = new Map<string, string>();
  const answers = new Answers();
  const watches = new Map<string, string>();
  return lines.map((line) => {
    const { kind } = line;
    if (kind === 'sends' || kind === 'receives') return noiseOfFrame(line, reports);
    if (kind === 'watches') return noiseOfWatch(line, { lines, watches });
    if (kind === 'serves') return answers.noiseOf(line);
    return kind === 'decides' ? noiseOfDecision(line) : undefined;
  });
}

/** A report that says in a line what the one before it said. */
function noiseOfFrame(
  { kind, host, what }: TraceLine,
  reports: Map<string, string>,
): Noise | undefined {
  if (what.endsWith(' heartbeat')) return 'heartbeats';
  if (!what.includes(' report: ')) return undefined;
  const way = `${host} ${kind} ${what.slice(0, what.indexOf(' report: '))}`;
  const isRepeated = reports.get(way) === what;
  reports.set(way, what);
  return isRepeated ? 'reports as before' : undefined;
}

/** What is seen as soon as it is committed, and what is refused once more. */
function noiseOfWatch(
  { atMs, host, what, causes: [cause] }: TraceLine,
  {
    lines,
    watches,
  }: { readonly lines: readonly TraceLine[]; readonly watches: Map<string, string> },
): Noise | undefined {
  const commit = cause === undefined ? undefined : lines[cause];
  if (commit?.kind === 'commits')
    return atMs - commit.atMs <= PROMPT_MS ? 'watched at once' : undefined;
  const isRepeated = watches.get(host) === what;
  watches.set(host, what);
  return isRepeated ? 'refused as before' : undefined;
}

function noiseOfDecision({ what, level, fields }: TraceLine): Noise | undefined {
  if (level === 'debug') return 'debug lines';
  const isUneventful = ['settled', 'recheck'].includes(String(fields?.['outcome']));
  return what === 'reconciled' && isUneventful ? 'reconciled' : undefined;
}

/** What each host answers: news are what it has not answered for a while, whoever asked. */
class Answers {
  /** By host, question and answer: when it was given last, in virtual milliseconds. */
  readonly #given = new Map<string, number>();
  /** By host and site the status, and by host and page the tag, of the last answer. */
  readonly #got = new Map<string, string>();

  noiseOf({ host, what, atMs }: TraceLine): Noise | undefined {
    const [, resolved] = /^\S+ asks (.*)$/.exec(what) ?? [];
    if (resolved?.startsWith('nonsense: ') === true) return 'answers to nonsense';
    const isNews =
      resolved === undefined
        ? this.#isNewPage(host, what)
        : this.#isNew(`${host} ${resolved}`, atMs);
    return isNews ? undefined : 'answers as before';
  }

  #isNew(key: string, atMs: number): boolean {
    const lastMs = this.#given.get(key) ?? -Infinity;
    this.#given.set(key, atMs);
    return atMs - lastMs > FRESH_MS;
  }

  #isNewPage(host: string, what: string): boolean {
    const [, site = what, path = '', status = '', tag = ''] =
      /^GET ([^/]*)(\/.*): (\d+) (.*)$/.exec(what) ?? [];
    const [siteKey, pageKey] = [`${host} ${site}`, `${host} ${site}${path}`];
    const [lastStatus, lastTag] = [this.#got.get(siteKey), this.#got.get(pageKey)];
    this.#got.set(siteKey, status);
    this.#got.set(pageKey, tag);
    return lastStatus !== status || (lastTag !== undefined && lastTag !== tag);
  }
}
