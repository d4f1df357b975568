import type { SeededRandom } from '../engine/random.ts';
import { maybe } from './maybe.ts';

/**
 * What befalls the network. Shares are probabilities per occasion, counts are times in a run; 0 is
 * never.
 */
export interface NetFaults {
  /** A frame is lost: the link is silent from then on and ends as lost some time later. */
  readonly frameLoss: number;
  /** The link is silent from then on, and nobody is told. */
  readonly halfOpen: number;
  /** What one end of a link sends is held up for some seconds, then comes at once; per frame. */
  readonly stall: number;
  /** Frames that may be under way or unread before `send` says that it is enough. */
  readonly windowFrames: number;
  /** What a node says first reaches dom once more, on a connection of its own; per dial. */
  readonly repeatedDial: number;
  /** A plan that a node was sent before reaches it once more, after another frame; per frame. */
  readonly echo: number;
  /** A try to reach a process that nothing answers. */
  readonly dialHang: number;
  /** A probe gets no answer though the edge serves. */
  readonly probeLoss: number;
  /** A blob's stream breaks; per piece. */
  readonly blobCut: number;
  /** A piece of a blob arrives with another byte in it. */
  readonly blobDamage: number;
  /** A piece of a blob arrives twice. */
  readonly blobRepeat: number;
  /** After a piece of a blob nothing comes any more, and nobody is told. */
  readonly blobHang: number;
  /** What a crossing takes longer than it must, in milliseconds: the mean of a long tail. */
  readonly jitterMs: number;
  /** Ways take up to so many times as long as their distance demands. */
  readonly slownessMax: number;
  /** Half of the ways carry no more than this; 0: no limit. */
  readonly slowBytesPerS: number;
  /** Times when a host reaches nobody. */
  readonly cutOffs: number;
  /** Times when some nodes and some doms cannot reach the others. */
  readonly splits: number;
  /** Times when what one host sends is lost, while it goes on to hear the others. */
  readonly oneWays: number;
  /** Times when one nameserver cannot reach one edge, which everybody else reaches. */
  readonly blindSpots: number;
  /** Times when a dom refuses connections, though it serves the open ones. */
  readonly refusals: number;
}

export const CALM_NET: NetFaults = {
  frameLoss: 0,
  halfOpen: 0,
  stall: 0,
  windowFrames: 16,
  repeatedDial: 0,
  echo: 0,
  dialHang: 0,
  probeLoss: 0,
  blobCut: 0,
  blobDamage: 0,
  blobRepeat: 0,
  blobHang: 0,
  jitterMs: 1,
  slownessMax: 1,
  slowBytesPerS: 0,
  cutOffs: 0,
  splits: 0,
  oneWays: 0,
  blindSpots: 0,
  refusals: 0,
};

export const NET_FAULT_KINDS = {
  loss: ['frameLoss'],
  'half-open': ['halfOpen'],
  stall: ['stall', 'windowFrames'],
  repeat: ['repeatedDial', 'echo'],
  dial: ['dialHang', 'refusals'],
  probes: ['probeLoss', 'blindSpots'],
  blobs: ['blobCut', 'blobDamage', 'blobRepeat', 'blobHang'],
  latency: ['jitterMs', 'slownessMax'],
  'slow-link': ['slowBytesPerS'],
  partition: ['cutOffs', 'splits', 'oneWays'],
} as const satisfies Record<string, readonly (keyof NetFaults)[]>;

export function drawNetFaults(random: SeededRandom): NetFaults {
  return {
    frameLoss: maybe(random, 0.02),
    halfOpen: maybe(random, 0.005),
    stall: maybe(random, 0.01),
    windowFrames: random.pick([16, 16, 4, 1]),
    repeatedDial: maybe(random, 0.5),
    dialHang: maybe(random, 0.2),
    probeLoss: random.pick([0, 0, 0.1, 0.3, 0.9]),
    blobCut: maybe(random, 0.3),
    blobDamage: maybe(random, 0.1),
    blobRepeat: maybe(random, 0.25),
    blobHang: maybe(random, 0.05),
    jitterMs: random.pick([1, 5, 20, 100]),
    slownessMax: random.pick([1, 1.5, 3, 8]),
    slowBytesPerS: random.pick([0, 0, 0, 50_000, 5_000, 1_000]),
    cutOffs: Math.ceil(maybe(random, 4)),
    splits: Math.ceil(maybe(random, 3)),
    oneWays: Math.ceil(maybe(random, 3)),
    blindSpots: Math.ceil(maybe(random, 3)),
    refusals: Math.ceil(maybe(random, 3)),
    echo: maybe(random, 0.1),
  };
}
