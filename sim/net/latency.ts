import { distanceKm, type Place } from '../../agent/dns/geo/geography.ts';
import type { SeededRandom } from '../engine/random.ts';

/** Light in fibre is a third slower than in nothing. */
const FIBRE_KM_PER_MS = (299.792_458 * 2) / 3;
/** Cables follow coasts and go through exchanges, not along great circles. */
const ROUTING_FACTOR = 1.5;
/** Even the host beside it is not reached in no time. */
const WAY_MS_MIN = 0.2;
/** Whatever is later than this was lost, and sent again. */
const TAIL_MS_MAX = 3_000;
/** One in a million: in calm weather nothing is as late as would make a node give its session up. */
const TAIL_MEANS_MAX = 1_000;

/** What does not change about the way between two hosts. */
export interface Way {
  /** As long as the distance demands. */
  readonly distanceMs: number;
  /** 0 to 1: how much worse than that it is in bad weather. */
  readonly poverty: number;
}

/** How long it takes to get from one host to another: by where they are, and by chance. */
export class Latency {
  readonly #random: SeededRandom;
  readonly #placeOf: (host: string) => Place | undefined;
  readonly #places = new Map<string, Place>();
  readonly #ways = new Map<string, Map<string, Way>>();

  /** `placeOf`: where a host is; undefined: nobody said, so it is drawn. */
  constructor(random: SeededRandom, placeOf: (host: string) => Place | undefined) {
    this.#random = random;
    this.#placeOf = placeOf;
  }

  /** The same there and back. */
  way(one: string, other: string): Way {
    const [first, second] = one < other ? [one, other] : [other, one];
    let ways = this.#ways.get(first);
    if (ways === undefined) this.#ways.set(first, (ways = new Map()));
    let way = ways.get(second);
    if (way === undefined) ways.set(second, (way = this.#draw(first, second)));
    return way;
  }

  /**
   * What chance adds to a crossing: a Pareto tail (Lomax, shape 2), so that half come within 0.41
   * of the mean, one in a hundred takes 9 times it, and one in ten thousand 99 times.
   */
  tailMs(meanMs: number): number {
    const means = Math.min(TAIL_MEANS_MAX, 1 / Math.sqrt(1 - this.#random.next()) - 1);
    return Math.min(TAIL_MS_MAX, meanMs * means);
  }

  #draw(one: string, other: string): Way {
    const km = distanceKm(this.#place(one), this.#place(other));
    const distanceMs = Math.max(WAY_MS_MIN, (km * ROUTING_FACTOR) / FIBRE_KM_PER_MS);
    return { distanceMs, poverty: this.#random.fork(`way ${one} ${other}`).next() };
  }

  #place(host: string): Place {
    const known = this.#places.get(host);
    if (known !== undefined) return known;
    const place = this.#placeOf(host) ?? drawPlace(this.#random.fork(`place ${host}`));
    this.#places.set(host, place);
    return place;
  }
}

/** Uniform over the sphere, not over the degrees. */
function drawPlace(random: SeededRandom): Place {
  const latitude = (Math.asin(2 * random.next() - 1) * 180) / Math.PI;
  return { latitude, longitude: 360 * random.next() - 180 };
}
