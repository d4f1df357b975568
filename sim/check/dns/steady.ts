import type { Check, CheckPorts } from '../check.ts';

export interface SteadyPorts extends CheckPorts {
  /** All that clients can see, as one text. */
  readonly view: () => Promise<string>;
}

/** INV-2 for clients: at rest the same question has the same answer a minute later. */
export function steadyCheck({ violated, view }: SteadyPorts): Check {
  let before: readonly string[] = [];
  return {
    async settled() {
      before = (await view()).split('\n');
    },
    async rested() {
      const after = (await view()).split('\n');
      const changed = after.findIndex((line, index) => line !== before[index]);
      if (changed >= 0)
        violated(2, `at rest an answer changes from ${before[changed]} to ${after[changed]}`);
    },
  };
}
