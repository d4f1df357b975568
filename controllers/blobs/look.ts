import type { BlobStock } from '../../runtime/content/blob-shelf.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { Revision } from '../../runtime/store/store.ts';
import type { World } from '../../runtime/store/world.ts';
import { planPart } from './plan.ts';
import { type Reading, type Root, readRoot, rootsOf, sizeBytesMax } from './roots.ts';
import { UsedDigests } from './used-digests.ts';

/** Why nothing may be cleared away: of this one nobody knows what it names. */
export interface Obstacle {
  readonly digest: Digest;
  readonly owner: NonNullable<Root['owner']>;
  readonly why: string;
}

export interface LookPorts {
  readonly world: World;
  readonly blobs: BlobStock;
}

/**
 * One look through all blobs, in steps: first what is in use is gathered, then part after part is
 * swept. What is named meanwhile is gathered before the next blob goes.
 */
export class Look {
  readonly #ports: LookPorts;
  readonly #graceMs: number;
  readonly #used = new UsedDigests();
  /** Roots that are gathered, by `keyOf`, and those of the world at that revision that are not. */
  readonly #gathered = new Set<string>();
  #waiting: Root[] = [];
  #seen: Revision | undefined;
  /** Since when nothing names a blob, as of the look before. */
  readonly #before: ReadonlyMap<Digest, number>;
  readonly #unusedSinceMs = new Map<Digest, number>();
  #part = 0;

  constructor(
    ports: LookPorts,
    { before, graceMs }: { readonly before: ReadonlyMap<Digest, number>; readonly graceMs: number },
  ) {
    this.#ports = ports;
    this.#before = before;
    this.#graceMs = graceMs;
  }

  /** What the next look needs to know; whole once this one is over. */
  get unusedSinceMs(): ReadonlyMap<Digest, number> {
    return this.#unusedSinceMs;
  }

  /** Gathers what one root names, or sweeps one part. After an error it may be tried again. */
  async step(nowMs: number): Promise<'more' | 'over' | Obstacle> {
    const root = this.#nextRoot();
    if (root !== undefined) return (await this.#gather(root)) ?? 'more';
    if (this.#part >= this.#ports.blobs.parts) return 'over';
    const obstacle = await this.#sweep(this.#part, nowMs);
    if (obstacle === undefined) this.#part += 1;
    return obstacle ?? 'more';
  }

  #nextRoot(): Root | undefined {
    const { world } = this.#ports;
    if (this.#seen !== world.revision) {
      const isNew = (root: Root): boolean => !this.#gathered.has(keyOf(root));
      this.#waiting = rootsIn(world).filter(isNew).toReversed();
      this.#seen = world.revision;
    }
    return this.#waiting.at(-1);
  }

  async #gather(root: Root): Promise<Obstacle | undefined> {
    const { digest, names, owner } = root;
    const reading = names === 'nothing' ? NOTHING : await this.#read(root);
    if (reading.kind === 'unreadable' && owner !== undefined)
      return { digest, owner, why: reading.why };
    this.#used.add(digest);
    if (reading.kind === 'read') for (const each of reading.digests) this.#used.add(each);
    this.#gathered.add(keyOf(root));
    // Another revision may have been looked at meanwhile.
    this.#waiting = this.#waiting.filter((each) => keyOf(each) !== keyOf(root));
    return undefined;
  }

  async #read(root: Root): Promise<Reading> {
    const found = await this.#ports.blobs.look(root.digest, sizeBytesMax(root));
    if (found === 'missing') return { kind: 'unreadable', why: "it is not on dom's disk" };
    if (found === 'too long') return { kind: 'unreadable', why: 'it is too long for one' };
    return readRoot(root, found);
  }

  async #sweep(part: number, nowMs: number): Promise<Obstacle | undefined> {
    const { blobs } = this.#ports;
    const { discard, unusedSinceMs } = planPart({
      found: await blobs.list(part),
      isUsed: (digest) => this.#used.has(digest),
      ...{ unusedSinceMs: this.#before, nowMs, graceMs: this.#graceMs },
    });
    for (const digest of discard) {
      // What was named a moment ago is not known to be in use yet.
      for (let root = this.#nextRoot(); root !== undefined; root = this.#nextRoot()) {
        const obstacle = await this.#gather(root);
        if (obstacle !== undefined) return obstacle;
      }
      if (!this.#used.has(digest)) await blobs.discard(digest);
    }
    for (const [digest, sinceMs] of unusedSinceMs) this.#unusedSinceMs.set(digest, sinceMs);
    return undefined;
  }
}

export function rootsIn(world: World): readonly Root[] {
  const [sites, releases] = [world.list('Site'), world.list('Release')];
  return rootsOf({ sites, releases, geo: world.record('geo', 'current')?.value });
}

/** The same for what is to be kept for the same reason. */
export function keyOf({ digest, names }: Root): string {
  return `${digest} ${names}`;
}

const NOTHING: Reading = { kind: 'read', digests: [] };
