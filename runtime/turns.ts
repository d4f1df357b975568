/** Runs a task once all that were given before have ended, well or badly. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/** Turns of its own: tasks given to it never overlap. */
export function takeTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const mine = last.then(task);
    last = mine.catch(() => undefined);
    return mine;
  };
}
