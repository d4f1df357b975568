import { getHeapStatistics } from 'node:v8';

/** By then a sub has loaded its code, read its disk and spoken with dom. */
const AFTER_MS = 10_000;
/** A larger heap would take too long; a plan that is so large leaves no room for such savings. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Collects what a start leaves behind, once: V8 would keep some 3 MB of it for as long as little is
 * allocated. It takes about 30 ms of this thread. Without `--expose-gc` nothing happens.
 */
export function compactHeapLater(): void {
  const later = setTimeout(() => {
    if (getHeapStatistics().used_heap_size > HEAP_BYTES_MAX) return;
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, AFTER_MS);
  later.unref();
}
