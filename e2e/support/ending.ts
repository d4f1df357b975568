/** What is done however this process ends, but for SIGKILL. */

const actions = new Set<() => void>();

/** Runs `action`, which must not wait, when this process ends. Gives what takes that back. */
export function atEnd(action: () => void): () => void {
  actions.add(action);
  return () => void actions.delete(action);
}

function endAll(): void {
  for (const action of actions) {
    actions.delete(action);
    try {
      action();
    } catch {
      // The others are to be done all the same.
    }
  }
}

process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // Who listens as well ends things in order, and then there is an "exit".
    if (process.listenerCount(signal) > 1) return;
    endAll();
    // Not `process.exit`: within a test it does not end anything.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
