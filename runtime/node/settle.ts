/** Taken when the module loads: the simulation forbids the timers while it runs. */
const nextTurn = setImmediate;

/** Resolves once every promise that is ready by now has had its say. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve);
  });
}
