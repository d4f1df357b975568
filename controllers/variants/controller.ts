import type { Release } from '../../api/release.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { BlobShelf } from '../../runtime/content/blob-shelf.ts';
import type { Compressor } from '../../runtime/content/compressor.ts';
import {
  MANIFEST_BYTES_MAX,
  ManifestError,
  parseManifest,
  type ReleaseFile,
} from '../../runtime/content/manifest.ts';
import { releasesShown } from '../../runtime/content/site-releases.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Writer } from '../../runtime/store/writer.ts';
import { Draft, type Progress, readIndexes } from './draft.ts';
import { compressibleFiles, knownIndexes, sitesOf, typesOf } from './plan.ts';

const AUTHOR: Author = { manager: 'variants-controller', user: 'dom' };

/** After so long others have their turn. */
const TURN_MS = 2_000;
/** What a crash may cost, at first; as more is done, as much time again. */
const NOTED_AFTER_MS = 30_000;
/** With less than that left to do, what is known already is not noted before the rest. */
const WAITS_BYTES_MAX = 1024 * 1024;
/** Files that could not be read are tried again. */
const FAILED_AGAIN_MS = 10 * 60 * 1000;
/** And all is looked through, for what has rotted meanwhile, unless the ports say how often. */
const LOOK_AGAIN_MS = 60 * 60 * 1000;
/** While nodes fetch, they come first: for so long at most, and looked at so often. */
const STANDS_BACK_MS = 60_000;
const LOOKS_EVERY_MS = 250;
/** Releases in work at a time; of more, what was not noted is done again. */
const DRAFTS_MAX = 4;

export interface VariantsPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly blobs: BlobShelf;
  readonly compressor: Compressor;
  /** Whether dom sends blobs to nodes by now, which needs the same processor; left out: never. */
  readonly isSending?: () => boolean;
  /**
   * How often all is looked through, in milliseconds. Of an index that has rotted nobody knows what it
   * names: the forms would be cleared away after their grace, so this must be less.
   */
  readonly lookAgainMs?: number;
}

/**
 * Makes the compressed forms of what Sites serve, once, in the background; a name is a Release's.
 * Nothing waits for it: a release is served as it is until its forms are here.
 *
 * What is done is kept as blobs and noted in the Release's status now and then, so that another
 * dom goes on from there; and whatever an earlier release had is not made again.
 */
export function variantsController(ports: VariantsPorts): Controller {
  const work = new Work(ports);
  return {
    name: 'variants',
    // It takes one core as it is.
    concurrency: 1,
    affected: (change) => affected(change),
    reconcile: (name, signal) => work.reconcile(name, signal),
  };
}

function affected(change: WorldChange): readonly string[] {
  if (change.kind === 'record') return [];
  const { object, before, deleted } = change;
  if (isKind(object, 'Release')) return [qualifiedName(object.metadata)];
  if (!isKind(object, 'Site') || deleted) return [];
  const { namespace } = object.metadata;
  const isOther = before === undefined || !isKind(before, 'Site') || isBeyondStatus(change);
  const known = new Set(isOther ? [] : releasesShown(before));
  const wanted = releasesShown(object).filter((name) => !known.has(name));
  return wanted.map((name) => qualifiedName({ namespace, name }));
}

interface InWork {
  readonly draft: Draft;
  /** By what its files were chosen. */
  readonly choice: string;
  readonly beganMs: number;
  notedMs: number;
  /** For how long it has stood back. */
  stoodBackMs: number;
  /** What earlier releases had comes first, and is noted: nodes may switch any time. */
  phase: 'known' | 'unknown';
}

class Work {
  readonly #ports: VariantsPorts;
  /** By name; the one that was worked on last comes last. */
  readonly #inWork = new Map<string, InWork>();
  /** By name: what was found complete, and when to look through it again. */
  readonly #complete = new Map<string, { readonly key: string; readonly untilMs: number }>();

  constructor(ports: VariantsPorts) {
    this.#ports = ports;
  }

  async reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    const { world, clock } = this.#ports;
    const release = world.get('Release', splitName(name));
    const sites = release === undefined ? [] : sitesOf(release, world.list('Site'));
    if (release === undefined || sites.length === 0) {
      this.#inWork.delete(name);
      this.#complete.delete(name);
      return 'settled';
    }
    const types = typesOf(sites);
    const choice = JSON.stringify([release.metadata.uid, ...types]);
    const complete = this.#complete.get(name);
    const leftMs = (complete?.untilMs ?? 0) - clock.monotonicMs();
    if (complete?.key === keyOf(choice, release.status?.variants?.index) && leftMs > 0)
      return { recheckInMs: leftMs };
    const inWork = this.#resume(name, choice) ?? (await this.#begin(release, { choice, types }));
    if (inWork === undefined) return { recheckInMs: FAILED_AGAIN_MS };
    this.#keep(name, inWork);
    return this.#turn(name, { release, inWork, choice }, signal);
  }

  async #turn(
    name: string,
    work: { readonly release: Release; readonly inWork: InWork; readonly choice: string },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { clock } = this.#ports;
    const { release, inWork, choice } = work;
    const { draft } = inWork;
    const startMs = clock.monotonicMs();
    if (this.#standsBack(inWork)) return { recheckInMs: LOOKS_EVERY_MS };
    while ((await draft.step()) === 'more') {
      signal.throwIfAborted();
      const nowMs = clock.monotonicMs();
      const isFirst = inWork.phase === 'known' && draft.unknownBytes !== undefined;
      if (isFirst) inWork.phase = 'unknown';
      const isEarly = isFirst && (draft.unknownBytes ?? 0) > WAITS_BYTES_MAX;
      const isOver = nowMs - startMs >= TURN_MS || this.#standsBack(inWork);
      if (!isEarly && !isOver) continue;
      const isNews = draft.done > (release.status?.variants?.done ?? 0);
      if (!isNews || !(isEarly || isDue(inWork, nowMs))) return { recheckInMs: 0 };
      inWork.notedMs = nowMs;
      return this.#note(release, await draft.put(), 0);
    }
    const progress = draft.total === 0 ? release.status?.variants : await draft.put();
    const { lookAgainMs = LOOK_AGAIN_MS } = this.#ports;
    const againInMs = draft.failed > 0 ? Math.min(FAILED_AGAIN_MS, lookAgainMs) : lookAgainMs;
    const outcome =
      progress === undefined
        ? { recheckInMs: againInMs }
        : await this.#note(release, progress, againInMs);
    if (outcome === 'conflict') return outcome;
    this.#inWork.delete(name);
    const key = keyOf(choice, progress?.index);
    this.#complete.set(name, { key, untilMs: clock.monotonicMs() + againInMs });
    return outcome;
  }

  #standsBack(inWork: InWork): boolean {
    const isSending = this.#ports.isSending?.() ?? false;
    if (!isSending || inWork.stoodBackMs >= STANDS_BACK_MS) return false;
    inWork.stoodBackMs += LOOKS_EVERY_MS;
    return true;
  }

  /** Undefined: its manifest is not here, or none. */
  async #begin(
    release: Release,
    by: { readonly choice: string; readonly types: ReadonlyMap<string, readonly string[]> },
  ): Promise<InWork | undefined> {
    const { world, blobs, clock } = this.#ports;
    const files = await readManifest(blobs, release.metadata.name);
    if (files === undefined) return undefined;
    const sources = compressibleFiles(files, by.types);
    const indexes = knownIndexes(release, world.list('Release'));
    const known = await readIndexes(blobs, indexes, sources);
    const beganMs = clock.monotonicMs();
    const draft = new Draft(this.#ports, sources, known);
    const phase = known.size > 0 ? 'known' : 'unknown';
    return { draft, choice: by.choice, beganMs, notedMs: beganMs, stoodBackMs: 0, phase };
  }

  #resume(name: string, choice: string): InWork | undefined {
    const found = this.#inWork.get(name);
    return found?.choice === choice ? found : undefined;
  }

  #keep(name: string, inWork: InWork): void {
    this.#inWork.delete(name);
    this.#inWork.set(name, inWork);
    const [oldest] = this.#inWork.keys();
    if (this.#inWork.size > DRAFTS_MAX && oldest !== undefined) this.#inWork.delete(oldest);
  }

  async #note(release: Release, variants: Progress, recheckInMs: number): Promise<Outcome> {
    const status = { ...release.status, variants };
    const operation = { kind: 'status', base: release, status } as const;
    return afterWrite(await this.#ports.writer.commit([operation], AUTHOR), recheckInMs);
  }
}

/** As often as it has doubled: an index is read by every node, and grows with the work. */
function isDue({ beganMs, notedMs }: InWork, nowMs: number): boolean {
  return nowMs - notedMs >= Math.max(NOTED_AFTER_MS, notedMs - beganMs);
}

/** By which choice of files a Release is complete, and with which index. */
function keyOf(choice: string, index: string | undefined): string {
  return `${choice} ${index}`;
}

async function readManifest(
  blobs: BlobShelf,
  digest: string,
): Promise<readonly ReleaseFile[] | undefined> {
  const sizeBytes = await blobs.sizeOf(digest);
  if (sizeBytes === undefined || sizeBytes > MANIFEST_BYTES_MAX) return undefined;
  try {
    return parseManifest(await blobs.read(digest));
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    if (error instanceof RequestError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
