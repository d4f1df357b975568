import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';

/** What somebody does things with beside the people of a world. */
export interface LoadPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** As in `Setting`: operations of theirs, as `ca.2`. */
  readonly leftOut: readonly string[];
}
