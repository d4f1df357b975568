import type { SeededRandom } from '../engine/random.ts';
import { seldom } from './maybe.ts';

/** What befalls machines and processes. Numbers are of times in a run; 0 is never. */
export interface HostFaults {
  readonly subCrashes: number;
  readonly domCrashes: number;
  /** Times when dom stands still, perhaps for longer than its lease, and others go on. */
  readonly domPauses: number;
  /** Times when a node stands still, data plane and all. */
  readonly subPauses: number;
  /** How far wall clocks are off from the start, in milliseconds, either way. */
  readonly skewMsMax: number;
  /** How much too fast or too slowly clocks go, in parts of a million. */
  readonly driftPpmMax: number;
  /** Times when somebody sets a wall clock, forward or back. */
  readonly clockJumps: number;
  /** Probability that a power cut leaves something of a file that was not synced. */
  readonly diskTears: number;
  /** Times when a disk is full for a while. */
  readonly fullDisks: number;
  /** Probability that a read or a write fails. */
  readonly diskErrors: number;
  /** The longest time that a write takes, in milliseconds. */
  readonly diskDelayMsMax: number;
  /** Times when a bit of a blob turns over where it lies. */
  readonly rots: number;
}

export const CALM_HOSTS: HostFaults = {
  subCrashes: 0,
  domCrashes: 0,
  domPauses: 0,
  subPauses: 0,
  skewMsMax: 0,
  driftPpmMax: 0,
  clockJumps: 0,
  diskTears: 0,
  fullDisks: 0,
  diskErrors: 0,
  diskDelayMsMax: 3,
  rots: 0,
};

export const HOST_FAULT_KINDS = {
  'sub-crash': ['subCrashes'],
  'dom-crash': ['domCrashes'],
  'dom-pause': ['domPauses'],
  'sub-pause': ['subPauses'],
  skew: ['skewMsMax'],
  drift: ['driftPpmMax'],
  'clock-jump': ['clockJumps'],
  'torn-write': ['diskTears'],
  'full-disk': ['fullDisks'],
  'disk-error': ['diskErrors'],
  'slow-disk': ['diskDelayMsMax'],
  rot: ['rots'],
} as const satisfies Record<string, readonly (keyof HostFaults)[]>;

export function drawHostFaults(random: SeededRandom): HostFaults {
  const times = (most: number): number => Math.ceil(seldom(random, most));
  return {
    subCrashes: times(8),
    domCrashes: times(4),
    domPauses: times(3),
    subPauses: times(4),
    skewMsMax: random.pick([0, 2_000, 10 * 60_000]),
    driftPpmMax: random.pick([0, 0, 200, 10_000]),
    clockJumps: times(4),
    diskTears: seldom(random, 1),
    fullDisks: times(4),
    diskErrors: seldom(random, 0.05),
    diskDelayMsMax: random.pick([3, 3, 3, 50, 1_000]),
    rots: times(6),
  };
}
