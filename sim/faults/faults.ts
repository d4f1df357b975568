import type { SeededRandom } from '../engine/random.ts';

/** How bad the weather is. Probabilities are per occasion; 0 is never. */
export interface Faults {
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
  /** The answer to a commit is lost: it took effect, or not. */
  readonly commitUncertain: number;
  /** The longest way across the network, in milliseconds; the shortest is 1. */
  readonly latencyMsMax: number;
  /** Crashes of subs, crashes of dom, and times when a host is cut off, in a run. */
  readonly subCrashes: number;
  readonly domCrashes: number;
  /** Times when dom stands still, perhaps for longer than its lease, while another one starts. */
  readonly domPauses: number;
  readonly cutOffs: number;
}

export const CALM: Faults = {
  frameLoss: 0,
  halfOpen: 0,
  probeLoss: 0,
  blobCut: 0,
  blobDamage: 0,
  commitUncertain: 0,
  latencyMsMax: 5,
  subCrashes: 0,
  domCrashes: 0,
  domPauses: 0,
  cutOffs: 0,
};

/** Each seed draws its own mix and strength: few faults at once reach deeper than all of them. */
export function drawFaults(random: SeededRandom): Faults {
  const maybe = (most: number): number => (random.chance(0.5) ? random.next() * most : 0);
  return {
    frameLoss: maybe(0.02),
    halfOpen: maybe(0.005),
    probeLoss: random.pick([0, 0, 0.1, 0.3, 0.9]),
    blobCut: maybe(0.3),
    blobDamage: maybe(0.1),
    commitUncertain: maybe(0.05),
    latencyMsMax: random.pick([2, 20, 200, 1000]),
    subCrashes: Math.ceil(maybe(8)),
    domCrashes: Math.ceil(maybe(4)),
    domPauses: Math.ceil(maybe(3)),
    cutOffs: Math.ceil(maybe(4)),
  };
}
