/** Runs a task as soon as fewer than the bound are under way; those that wait keep their order. */
export type InSlot = <T>(task: () => Promise<T>) => Promise<T>;

/** Slots of their own: at most `max` tasks given to them run at a time. */
export function takeSlots(max: number): InSlot {
  const waiting: (() => void)[] = [];
  let free = max;
  return async (task) => {
    if (free > 0) free -= 1;
    // Whoever ends hands its slot over, so nobody can slip in between.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
