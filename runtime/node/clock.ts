import type { Clock } from '../clock.ts';

/** This machine's clock and timers. */
export function systemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep,
  };
}

/** The longest delay that `setTimeout` keeps; above it fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const endMs = performance.now() + ms;
  // A timer may fire up to a millisecond early, and cannot be longer than TIMER_MS_MAX.
  for (let leftMs = ms; ; leftMs = endMs - performance.now()) {
    await nap(Math.min(Math.max(0, Math.ceil(leftMs)), TIMER_MS_MAX), signal);
    if (performance.now() >= endMs) return;
  }
}

function nap(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(reasonOf(signal));
      return;
    }
    const abort = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
