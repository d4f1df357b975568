/** Requests for one Site that one node answered from one release. */
export interface TrafficCount {
  /** Of the Site. */
  readonly uid: string;
  /** Empty: from none, with a page of the edge's own. */
  readonly release: string;
  readonly requests: number;
  /** Of these, answered with a status from 300 to 399, as "not modified" is… */
  readonly redirects: number;
  /** …from 400 to 499… */
  readonly clientErrors: number;
  /** …of 500 and above. */
  readonly serverErrors: number;
  /** Of bodies, as far as they were sent. */
  readonly bytes: number;
  /**
   * Answers that could not begin at once, for something had to be read from disk or a password
   * looked at: how many by each bound of `LATE_MS`, behind them those above all; may be shorter.
   * All others began within the turn that read their request.
   */
  readonly late: readonly number[];
  /** How long they took to begin, all together. */
  readonly lateMs: number;
}

/** Bounds of how long an answer takes to begin, in milliseconds; the same wherever they are added. */
export const LATE_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];

/** Of a Site and release that nothing was answered of. */
export function nothingAnswered({
  uid,
  release,
}: Pick<TrafficCount, 'uid' | 'release'>): TrafficCount {
  const none = { requests: 0, redirects: 0, clientErrors: 0, serverErrors: 0, bytes: 0 };
  return { uid, release, ...none, late: [], lateMs: 0 };
}

/** Of two counts of the same Site and release. */
export function sumOfCounts(one: TrafficCount, other: TrafficCount): TrafficCount {
  return {
    ...{ uid: one.uid, release: one.release },
    requests: one.requests + other.requests,
    redirects: one.redirects + other.redirects,
    clientErrors: one.clientErrors + other.clientErrors,
    serverErrors: one.serverErrors + other.serverErrors,
    bytes: one.bytes + other.bytes,
    late: sumOfLists(one.late, other.late),
    lateMs: one.lateMs + other.lateMs,
  };
}

function sumOfLists(one: readonly number[], other: readonly number[]): readonly number[] {
  const [longer, shorter] = one.length < other.length ? [other, one] : [one, other];
  return longer.map((count, place) => count + (shorter[place] ?? 0));
}

/** What edges say that they have answered. */
export interface SiteTraffic {
  /**
   * Counts of a node for a Site, from a release, since this dom began to listen: they only grow,
   * also when the node begins to count anew. Zeros: nothing was heard.
   */
  answered(of: {
    readonly node: string;
    readonly uid: string;
    readonly release: string;
  }): Pick<TrafficCount, 'requests' | 'serverErrors'>;
}

/** Remembered of one node; the one that was not heard of for longest is forgotten for another. */
export const TRAFFIC_COUNTS_MAX = 5_000;

type Count = Pick<TrafficCount, 'requests' | 'serverErrors'>;

interface Counted {
  /** What the node said last… */
  readonly said: TrafficCount;
  /** …and how much that has grown by since the first time. */
  readonly grown: Count;
}

const NOTHING: Count = { requests: 0, serverErrors: 0 };

/**
 * Keeps what nodes say in memory: it changes all the time, and whoever leads next only has to
 * listen for as long again.
 */
export class TrafficBoard implements SiteTraffic {
  readonly #nodes = new Map<string, Map<string, Counted>>();

  answered(of: { readonly node: string; readonly uid: string; readonly release: string }): Count {
    return this.#nodes.get(of.node)?.get(keyOf(of))?.grown ?? NOTHING;
  }

  /**
   * A node says what it has counted since it started, of what has changed since it last said so;
   * in the first words of a session, of everything. What is returned is news.
   */
  heard(node: string, counts: readonly TrafficCount[]): readonly TrafficCount[] {
    const known = this.#nodes.get(node);
    const counted = known ?? new Map<string, Counted>();
    this.#nodes.set(node, counted);
    return counts.map((said) => {
      const key = keyOf(said);
      // Of what was before this dom listened nothing is known; later on all begins with nothing.
      const before = counted.get(key) ?? {
        said: known === undefined ? said : nothingAnswered(said),
        grown: NOTHING,
      };
      const news = growth(before.said, said);
      counted.delete(key);
      counted.set(key, { said, grown: sum(before.grown, news) });
      const [oldest] = counted.keys();
      if (counted.size > TRAFFIC_COUNTS_MAX && oldest !== undefined) counted.delete(oldest);
      return news;
    });
  }

  /** The node is none any more. */
  forget(node: string): void {
    this.#nodes.delete(node);
  }
}

/** One that says less than before has started anew: all of it is news. */
function growth(before: TrafficCount, now: TrafficCount): TrafficCount {
  const late = now.late.map((count, place) => count - (before.late[place] ?? 0));
  const { uid, release } = now;
  const grown = {
    ...{ uid, release, late, requests: now.requests - before.requests },
    redirects: now.redirects - before.redirects,
    clientErrors: now.clientErrors - before.clientErrors,
    serverErrors: now.serverErrors - before.serverErrors,
    bytes: now.bytes - before.bytes,
    lateMs: now.lateMs - before.lateMs,
  };
  const { redirects, clientErrors, serverErrors, bytes, lateMs } = grown;
  const all = [...late, grown.requests, redirects, clientErrors, serverErrors, bytes, lateMs];
  return all.some((each) => each < 0) ? now : grown;
}

function sum(one: Count, other: Count): Count {
  return {
    requests: one.requests + other.requests,
    serverErrors: one.serverErrors + other.serverErrors,
  };
}

export const noTraffic: SiteTraffic = { answered: () => NOTHING };

function keyOf({ uid, release }: { readonly uid: string; readonly release: string }): string {
  return `${uid} ${release}`;
}
