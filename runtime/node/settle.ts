/** Taken when the module loads: the simulation forbids the timers while it runs. */
const nextTurn = setImmediate;

/** Resolves once every promise that is ready by now has had its say. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve);
  });
}

/** How the simulation moves on: see its scheduler. */
export const turns = {
  /**
   * Lets every promise that is ready have its say, and those that become ready by that, before it
   * returns. To be called from a turn of its own (`next`), not from a promise's reaction.
   */
  drain(): void {
    ticks();
  },
  /** Calls `action` in a turn of its own. */
  next(action: () => void): void {
    nextTurn(action);
  },
} as const;

/** What Node itself does after each callback; a turn of the event loop would cost seven times that. */
const ticks = ticksOf(process);

function ticksOf(holder: object): () => void {
  const found: unknown = Reflect.get(holder, '_tickCallback');
  if (typeof found !== 'function') throw new Error('this Node has no process._tickCallback');
  return () => void Reflect.apply(found, holder, []);
}
