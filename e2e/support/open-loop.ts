import { setTimeout as pause } from 'node:timers/promises';

/** One kind of request. */
export interface Lane {
  readonly name: string;
  readonly perSecond: number;
  /** `turn` counts from 0. Must not reject. */
  readonly ask: (turn: number) => Promise<void>;
}

/** What became of one lane. Milliseconds run from when a request was due, not from when it left. */
export interface LaneFigures {
  readonly name: string;
  readonly count: number;
  /** All of them, by the time until the last one was answered. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

/** How often is looked which requests are due. */
const TICK_MS = 2;

/**
 * Asks at a fixed rate until told to end, whether or not earlier requests were answered: a server
 * that stands still is asked no less for it, as visitors would ask. What this process is late for it
 * sends at once, so the rate holds over time. Ends when all answers have come.
 */
export async function openLoop(
  lanes: readonly Lane[],
  signal: AbortSignal,
): Promise<readonly LaneFigures[]> {
  const startMs = performance.now();
  const running = lanes.map((lane) => ({ lane, sent: 0, tookMs: [] as number[] }));
  const open = new Set<Promise<void>>();
  while (!signal.aborted) {
    const elapsedMs = performance.now() - startMs;
    for (const each of running) {
      const everyMs = 1000 / each.lane.perSecond;
      for (; each.sent * everyMs <= elapsedMs; each.sent += 1) {
        const dueMs = startMs + each.sent * everyMs;
        const asked = each.lane.ask(each.sent).then(() => {
          each.tookMs.push(performance.now() - dueMs);
        });
        open.add(asked);
        void asked.finally(() => open.delete(asked));
      }
    }
    await pause(TICK_MS);
  }
  await Promise.all(open);
  const tookS = (performance.now() - startMs) / 1000;
  return running.map(({ lane, sent, tookMs }) => {
    const sorted = tookMs.toSorted((a, b) => a - b);
    const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return {
      ...{ name: lane.name, count: sent, perSecond: sent / tookS },
      ...{ p50Ms: quantile(0.5), p99Ms: quantile(0.99), mostMs: quantile(1) },
    };
  });
}

/** `HTTP/2: 14512 at 500.1/s, p50 1.2 ms, p99 8.0 ms, most 41.9 ms` */
export function describeLane({ name, count, perSecond, ...ms }: LaneFigures): string {
  const times = `p50 ${ms.p50Ms.toFixed(1)} ms, p99 ${ms.p99Ms.toFixed(1)} ms, most ${ms.mostMs.toFixed(1)} ms`;
  return `${name}: ${count} at ${perSecond.toFixed(1)}/s, ${times}`;
}
