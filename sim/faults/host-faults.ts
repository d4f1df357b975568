import type { SeededRandom } from '../engine/random.ts';
import { maybe } from './maybe.ts';

/** What befalls machines and processes; how often in a run. */
export interface HostFaults {
  readonly subCrashes: number;
  readonly domCrashes: number;
  /** Times when dom stands still, perhaps for longer than its lease, while another one starts. */
  readonly domPauses: number;
}

export const CALM_HOSTS: HostFaults = { subCrashes: 0, domCrashes: 0, domPauses: 0 };

export const HOST_FAULT_KINDS = {
  'sub-crash': ['subCrashes'],
  'dom-crash': ['domCrashes'],
  pause: ['domPauses'],
} as const satisfies Record<string, readonly (keyof HostFaults)[]>;

export function drawHostFaults(random: SeededRandom): HostFaults {
  return {
    subCrashes: Math.ceil(maybe(random, 8)),
    domCrashes: Math.ceil(maybe(random, 4)),
    domPauses: Math.ceil(maybe(random, 3)),
  };
}
