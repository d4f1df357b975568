import type { ReadLogsResponse } from '../../proto/gen/b8s/v1/api.ts';
import type { LogQuestion } from '../../proto/gen/b8s/v1/logs.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { LogListener } from './log-calls.ts';
import { LastLines, LiveLines } from './log-lines.ts';

/** How long nodes may take to say what there is. */
export const TAIL_MS = 5_000;
/** Lines that come are gathered so long, so that those of several nodes are in order. */
export const GATHER_MS = 200;

/** A node's session, as far as access logs go. */
export interface LogSession {
  readonly node: string;
  /** `older`: its agent keeps no access logs. */
  readonly logs: 'kept' | 'older';
  /** What is returned ends it. Throws UNAVAILABLE when the node is busy. */
  openLog(question: Omit<LogQuestion, 'id'>, listener: LogListener): () => void;
}

export interface LogSessions {
  /** Edges that are connected, sorted by node. */
  edges(): readonly LogSession[];
  /** Tells of edges that connect from now on; what is returned ends it. */
  onEdge(listener: (session: LogSession) => void): () => void;
}

export interface LogQuery {
  readonly siteUid: string;
  readonly linesMax: number;
  readonly ageMsMax: bigint;
  readonly follow: boolean;
  /** Empty: all. */
  readonly node: string;
}

/**
 * The newest lines of all edges in the order of their time; with `follow` then those that come, until
 * the signal is aborted. Whoever reads slowly holds up nobody: what does not fit is dropped, and how
 * much is said. Throws UNAVAILABLE when there is no edge to ask.
 */
export async function* readLogs(
  query: LogQuery,
  ports: { readonly sessions: LogSessions; readonly clock: Pick<Clock, 'sleep'> },
  signal: AbortSignal,
): AsyncGenerator<ReadLogsResponse> {
  const reading = new Reading(query, ports.sessions);
  const over = new AbortController();
  const scope = AbortSignal.any([signal, over.signal]);
  try {
    reading.begin();
    const late = ports.clock.sleep(TAIL_MS, scope).catch(() => undefined);
    await Promise.race([reading.allSaid, late, aborted(scope)]);
    yield* reading.takeOld();
    while (query.follow && !signal.aborted) {
      await reading.live.some(scope);
      await ports.clock.sleep(GATHER_MS, scope).catch(() => undefined);
      if (!signal.aborted) yield* reading.live.take();
    }
  } finally {
    over.abort(new Error('nobody reads the log any more'));
    reading.end();
  }
}

/** What one reader has asked of which nodes, and what they have said. */
class Reading {
  readonly live = new LiveLines();
  readonly #query: LogQuery;
  readonly #sessions: LogSessions;
  readonly #old: LastLines;
  /** Nodes that have not yet said all that there was. */
  readonly #unsaid = new Set<string>();
  readonly #stops = new Map<string, () => void>();
  readonly #done = Promise.withResolvers<void>();
  #unsubscribe = (): void => undefined;
  #phase: 'old' | 'live' = 'old';

  constructor(query: LogQuery, sessions: LogSessions) {
    this.#query = query;
    this.#sessions = sessions;
    this.#old = new LastLines(query.linesMax);
  }

  /** Resolves once every node has said all that there was, or why not. */
  get allSaid(): Promise<void> {
    return this.#done.promise;
  }

  begin(): void {
    const { node, follow } = this.#query;
    const asked = this.#sessions.edges().filter((each) => node === '' || each.node === node);
    if (asked.length === 0)
      throw new RequestError(
        'UNAVAILABLE',
        node === ''
          ? 'no edge is connected: see b8sctl get nodes'
          : `${node} is no connected edge: see b8sctl get nodes`,
      );
    for (const session of asked) this.#open(session, this.#query.linesMax);
    if (follow)
      this.#unsubscribe = this.#sessions.onEdge((session) => {
        if (node !== '' && session.node !== node) return;
        this.live.note(`${session.node} is connected; what it answered until now is left out`);
        this.#open(session, 0);
      });
    this.#look();
  }

  /** What has been said until now; what is said from now on is live. */
  takeOld(): readonly ReadLogsResponse[] {
    this.#phase = 'live';
    for (const node of this.#unsaid) this.live.note(`${node} takes long to answer`);
    return [...this.#old.take(), ...this.live.take()];
  }

  end(): void {
    this.#unsubscribe();
    for (const stop of this.#stops.values()) stop();
  }

  #open(session: LogSession, linesMax: number): void {
    const { node } = session;
    const { siteUid, ageMsMax, follow } = this.#query;
    if (session.logs === 'older') {
      this.live.note(`${node} runs an older version that keeps no access logs`);
      return;
    }
    this.#unsaid.add(node);
    const listener: LogListener = {
      heard: ({ lines, dropped, caughtUp, error }) => {
        const isOld = this.#phase === 'old' && this.#unsaid.has(node);
        (isOld ? this.#old : this.live).add(node, lines, Number(dropped));
        if (error !== '') this.live.note(`${node}: ${error}`);
        if (caughtUp || error !== '') this.#said(node);
      },
      ended: () => {
        if (follow || this.#unsaid.has(node)) this.live.note(`${node}: its session ended`);
        this.#said(node);
      },
    };
    try {
      const question = { siteUid, linesMax, ageMsMax, follow };
      this.#stops.set(node, session.openLog(question, listener));
    } catch (error) {
      this.live.note(error instanceof Error ? error.message : String(error));
      this.#said(node);
    }
  }

  #said(node: string): void {
    this.#unsaid.delete(node);
    this.#look();
  }

  #look(): void {
    if (this.#unsaid.size === 0) this.#done.resolve();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
