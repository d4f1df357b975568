import { expect } from 'vitest';
import type { Change, Revision, Store, WatchEvent, Write } from './store.ts';

/** One store, empty under every prefix, opened for one test. */
export interface StoreFixture {
  /** After a restart another object. */
  readonly store: () => Store;
  /** Lets that much time pass, virtual or real. */
  readonly pass: (ms: number) => Promise<void>;
  /** The shortest time to live that this store keeps to. */
  readonly leaseTtlMs: number;
  readonly dispose: () => Promise<void>;
}

const DEADLINE_MS = 20_000;
const POLL_MS = 20;

/** Lets time pass until the condition holds. */
export async function until(
  fixture: StoreFixture,
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let passedMs = 0; passedMs < DEADLINE_MS; passedMs += POLL_MS) {
    if (await condition()) return;
    await fixture.pass(POLL_MS);
  }
  throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
}

/** Commits puts without guards and returns their revision. */
export async function put(
  fixture: StoreFixture,
  values: Readonly<Record<string, string>>,
): Promise<Revision> {
  const writes = Object.entries(values).map(([key, value]): Write => ({ kind: 'put', key, value }));
  return await write(fixture, writes);
}

export async function write(fixture: StoreFixture, writes: readonly Write[]): Promise<Revision> {
  const outcome = await fixture.store().commit({ guards: [], writes });
  expect(outcome.outcome).toBe('committed');
  return outcome.revision;
}

export async function head(fixture: StoreFixture): Promise<Revision> {
  return (await fixture.store().list('/')).revision;
}

export interface Follower {
  readonly events: WatchEvent[];
  /** The changes of all events, one line each, e.g. `5 put /a=1`. */
  readonly lines: () => readonly string[];
  /** Ends the watch and waits until it has ended. */
  readonly stop: () => Promise<void>;
  readonly ended: Promise<void>;
}

/** Watches in the background and keeps all events. */
export function follow(fixture: StoreFixture, prefix: string, afterRevision: Revision): Follower {
  const abort = new AbortController();
  const events: WatchEvent[] = [];
  const watch = fixture.store().watch(prefix, { afterRevision, signal: abort.signal });
  const ended = (async () => {
    for await (const event of watch) events.push(event);
  })();
  // A failure shows when the test awaits `ended` or `stop`.
  ended.catch(() => undefined);
  return {
    events,
    ended,
    lines: () => events.flatMap((event) => (event.kind === 'changes' ? linesOf(event) : [])),
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

export function linesOf(event: Extract<WatchEvent, { kind: 'changes' }>): readonly string[] {
  for (const change of event.changes) expect(revisionOf(change)).toBe(event.revision);
  return event.changes.map((change) =>
    change.kind === 'put'
      ? `${event.revision} put ${change.item.key}=${change.item.value}`
      : `${event.revision} delete ${change.key}`,
  );
}

function revisionOf(change: Change): Revision {
  return change.kind === 'put' ? change.item.modRevision : change.modRevision;
}
