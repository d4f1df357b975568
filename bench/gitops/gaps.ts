import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded before dom (`--import`): writes a line, when (ms since 1970) and how long (ms), for each time
 * that its event loop had no turn for longer than `GAP_MS_MIN`.
 */
const LOOK_MS = 5;
const GAP_MS_MIN = 20;
const file = process.env['B8S_BENCH_GAPS'];

if (isMainThread && file !== undefined && process.argv[1]?.endsWith('dom/main.ts') === true) {
  let lastMs = performance.now();
  const look = setInterval(() => {
    const nowMs = performance.now();
    const gapMs = nowMs - lastMs - LOOK_MS;
    lastMs = nowMs;
    if (gapMs > GAP_MS_MIN) appendFileSync(file, `${Date.now()} ${gapMs.toFixed(0)}\n`);
  }, LOOK_MS);
  look.unref();
}
