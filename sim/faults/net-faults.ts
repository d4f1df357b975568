import type { SeededRandom } from '../engine/random.ts';
import { maybe } from './maybe.ts';

/** What befalls the network. Probabilities are per occasion; 0 is never. */
export interface NetFaults {
  /** A frame is lost: the link is silent from then on and ends as lost some time later. */
  readonly frameLoss: number;
  /** The link is silent from then on, and nobody is told. */
  readonly halfOpen: number;
  /** A probe gets no answer though the edge serves. */
  readonly probeLoss: number;
  /** A blob's stream breaks; per piece. */
  readonly blobCut: number;
  /** A piece of a blob arrives with another byte in it. */
  readonly blobDamage: number;
  /** The longest way across the network, in milliseconds; the shortest is 1. */
  readonly latencyMsMax: number;
  /** Times when a host is cut off, in a run. */
  readonly cutOffs: number;
}

export const CALM_NET: NetFaults = {
  frameLoss: 0,
  halfOpen: 0,
  probeLoss: 0,
  blobCut: 0,
  blobDamage: 0,
  latencyMsMax: 5,
  cutOffs: 0,
};

export const NET_FAULT_KINDS = {
  loss: ['frameLoss'],
  'half-open': ['halfOpen'],
  probes: ['probeLoss'],
  blobs: ['blobCut', 'blobDamage'],
  latency: ['latencyMsMax'],
  partition: ['cutOffs'],
} as const satisfies Record<string, readonly (keyof NetFaults)[]>;

export function drawNetFaults(random: SeededRandom): NetFaults {
  return {
    frameLoss: maybe(random, 0.02),
    halfOpen: maybe(random, 0.005),
    probeLoss: random.pick([0, 0, 0.1, 0.3, 0.9]),
    blobCut: maybe(random, 0.3),
    blobDamage: maybe(random, 0.1),
    latencyMsMax: random.pick([2, 20, 200, 1000]),
    cutOffs: Math.ceil(maybe(random, 4)),
  };
}
