import { LATE_MS, nothingAnswered, sumOfCounts, type TrafficCount } from './site-traffic.ts';

/** Rates are of the last one of these as a whole, and of what there is of the next. */
export const HALF_WINDOW_MS = 30_000;
const WINDOW_MS = 2 * HALF_WINDOW_MS;
/** What a node says of itself is remembered no more often. */
const MOMENTS_MS = 5_000;
/** Sites that are counted over all nodes… */
export const SITES_MAX = 10_000;
/** …and sites of single nodes, for who asks for a node: about 40 MB. */
export const PAIRS_MAX = 100_000;

/** What was answered lately of something, a second. */
export interface Rates {
  readonly requests: number;
  readonly succeeded: number;
  readonly redirects: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly bytes: number;
  /** Half of the answers began within so many ms, by the bounds of `LATE_MS`; infinite: above all. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What a machine says of itself. */
export interface NodeLoad {
  readonly rssBytes: number;
  /** Seconds of processor time of its agent since that has started. */
  readonly cpuS: number;
  /** Open connections of clients. */
  readonly connections: number;
}

export interface NodeRates extends Rates {
  readonly node: string;
  /** Undefined: it has not said. */
  readonly load: NodeLoad | undefined;
  /** Seconds of processor time a second; undefined: it has not said it twice. */
  readonly cpu: number | undefined;
}

export interface SiteRates extends Rates {
  readonly uid: string;
  /** How many nodes have answered for it. */
  readonly nodes: number;
}

/**
 * What edges have answered in the last minute or so: by site, by node, and by both.
 *
 * Guarantees: it is bounded whatever nodes say; what has answered nothing for a minute takes no
 * room. Sums of sites and nodes are of all that was heard, also where there was no more room for
 * what each node has answered for each site.
 */
export class TrafficWindow {
  readonly #sites = new Map<string, Counted>();
  readonly #nodes = new Map<string, Counted>();
  readonly #pairs = new Map<string, Map<string, Counted>>();
  readonly #loads = new Map<string, Loaded>();
  readonly #beganMs: number;
  #pairCount = 0;
  #sweptSlot = 0;

  /** `nowMs`: by the monotonic clock, as in all of these. */
  constructor(nowMs: number) {
    this.#beganMs = nowMs;
  }

  /** What a node has answered since it was last heard. */
  heard(node: string, counts: readonly TrafficCount[], nowMs: number): void {
    const slot = slotOf(nowMs);
    if (slot !== this.#sweptSlot) this.#sweep(slot);
    for (const count of counts) {
      const { uid } = count;
      counted(this.#nodes, node, Number.POSITIVE_INFINITY)?.add(count, slot);
      counted(this.#sites, uid, SITES_MAX)?.add(count, slot);
      this.#pairOf(node, uid)?.add(count, slot);
    }
  }

  loaded(node: string, load: NodeLoad, nowMs: number): void {
    const before = this.#loads.get(node);
    // Its agent has started anew.
    const isAnew = before === undefined || load.cpuS < before.last.cpuS;
    const known = isAnew ? [] : before.moments.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    const isDue = nowMs - (known.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= MOMENTS_MS;
    const moments = isDue ? [...known, { cpuS: load.cpuS, atMs: nowMs }] : known;
    this.#loads.set(node, { moments, last: load, lastMs: nowMs });
  }

  /** The node is none any more. */
  forget(node: string): void {
    this.#nodes.delete(node);
    this.#loads.delete(node);
    this.#pairCount -= this.#pairs.get(node)?.size ?? 0;
    this.#pairs.delete(node);
  }

  /** `node`: of what it has answered; left out: of all. */
  sites(nowMs: number, node?: string): readonly SiteRates[] {
    const slot = slotOf(nowMs);
    this.#sweep(slot);
    const seconds = this.seconds(nowMs);
    const found = node === undefined ? this.#sites : (this.#pairs.get(node) ?? new Map());
    return [...found].map(([uid, each]: [string, Counted]) => ({
      ...{ uid, nodes: node === undefined ? this.#nodesOf(uid) : 1 },
      ...ratesOf(each.lately(slot), seconds),
    }));
  }

  nodes(nowMs: number): readonly NodeRates[] {
    const slot = slotOf(nowMs);
    this.#sweep(slot);
    const seconds = this.seconds(nowMs);
    for (const [node, { lastMs }] of this.#loads)
      if (nowMs - lastMs > WINDOW_MS) this.#loads.delete(node);
    const names = new Set([...this.#nodes.keys(), ...this.#loads.keys()]);
    return [...names].toSorted().map((node) => {
      const loaded = this.#loads.get(node);
      const lately = this.#nodes.get(node)?.lately(slot) ?? NOTHING;
      const cpu = loaded && cpuOf(loaded);
      return { node, ...ratesOf(lately, seconds), load: loaded?.last, cpu };
    });
  }

  /** How long what is told has been gathered, in seconds. */
  seconds(nowMs: number): number {
    const gatheredMs = HALF_WINDOW_MS + (nowMs % HALF_WINDOW_MS);
    return Math.max(1, Math.min(gatheredMs, nowMs - this.#beganMs) / 1000);
  }

  #nodesOf(uid: string): number {
    let nodes = 0;
    for (const sites of this.#pairs.values()) if (sites.has(uid)) nodes += 1;
    return nodes;
  }

  #pairOf(node: string, uid: string): Counted | undefined {
    const sites = this.#pairs.get(node) ?? new Map<string, Counted>();
    const known = sites.get(uid);
    if (known !== undefined || this.#pairCount >= PAIRS_MAX) return known;
    const made = new Counted();
    this.#pairs.set(node, sites.set(uid, made));
    this.#pairCount += 1;
    return made;
  }

  /** What has answered nothing lately goes. */
  #sweep(slot: number): void {
    this.#sweptSlot = slot;
    for (const all of [this.#sites, this.#nodes])
      for (const [key, each] of all) if (each.isOver(slot)) all.delete(key);
    for (const [node, sites] of this.#pairs) {
      for (const [uid, each] of sites) {
        if (!each.isOver(slot)) continue;
        sites.delete(uid);
        this.#pairCount -= 1;
      }
      if (sites.size === 0) this.#pairs.delete(node);
    }
  }
}

interface Moment {
  readonly cpuS: number;
  readonly atMs: number;
}

interface Loaded {
  /** Of the last minute, the first one first. */
  readonly moments: readonly Moment[];
  readonly last: NodeLoad;
  readonly lastMs: number;
}

function cpuOf({ moments: [first], last, lastMs }: Loaded): number | undefined {
  if (first === undefined || lastMs <= first.atMs) return undefined;
  return (1000 * (last.cpuS - first.cpuS)) / (lastMs - first.atMs);
}

const NOTHING = nothingAnswered({ uid: '', release: '' });

/** Counts of the current half of the window, and of the one before. */
class Counted {
  #slot = -2;
  #current: TrafficCount = NOTHING;
  #before: TrafficCount = NOTHING;

  add(count: TrafficCount, slot: number): void {
    this.#moveOn(slot);
    this.#current = sumOfCounts(this.#current, count);
  }

  lately(slot: number): TrafficCount {
    if (slot === this.#slot) return sumOfCounts(this.#before, this.#current);
    return slot === this.#slot + 1 ? this.#current : NOTHING;
  }

  isOver(slot: number): boolean {
    return this.#slot < slot - 1;
  }

  #moveOn(slot: number): void {
    if (slot === this.#slot) return;
    this.#before = slot === this.#slot + 1 ? this.#current : NOTHING;
    this.#current = NOTHING;
    this.#slot = slot;
  }
}

function counted(all: Map<string, Counted>, key: string, most: number): Counted | undefined {
  const known = all.get(key);
  if (known !== undefined || all.size >= most) return known;
  const made = new Counted();
  all.set(key, made);
  return made;
}

function slotOf(nowMs: number): number {
  return Math.floor(nowMs / HALF_WINDOW_MS);
}

function ratesOf(count: TrafficCount, seconds: number): Rates {
  const { requests, redirects, clientErrors, serverErrors, bytes } = count;
  const others = redirects + clientErrors + serverErrors;
  return {
    requests: requests / seconds,
    succeeded: Math.max(0, requests - others) / seconds,
    redirects: redirects / seconds,
    clientErrors: clientErrors / seconds,
    serverErrors: serverErrors / seconds,
    bytes: bytes / seconds,
    p50Ms: quantileMs(count, 0.5),
    p99Ms: quantileMs(count, 0.99),
  };
}

/** The bound within which so great a part of the answers began; 0: there were none. */
export function quantileMs({ requests, late }: TrafficCount, part: number): number {
  if (requests === 0) return 0;
  const waited = late.reduce((sum, each) => sum + each, 0);
  const wanted = part * Math.max(requests, waited);
  // Those that began at once.
  let seen = Math.max(0, requests - waited);
  for (const [place, bound] of LATE_MS.entries()) {
    seen += late[place] ?? 0;
    if (seen >= wanted) return bound;
  }
  return Number.POSITIVE_INFINITY;
}
