import type { Clock } from '../../runtime/clock.ts';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { PeerFetcher, PeerFinder } from '../../runtime/content/peers.ts';
import type { Log } from '../../runtime/log.ts';
import { PeerList } from './peer-list.ts';

/** Of a list, less than this is fetched from dom: to ask where else would take longer. */
export const ASK_BYTES_MIN = 1024 * 1024;

export interface SourcesOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Dom, which has everything. */
  readonly source: BlobSource;
  /** Left out: all is fetched from dom. */
  readonly peers?: PeerPorts | undefined;
}

/** `wrong bytes`: what came was not the blob; `failed`: for whatever other reason. */
export type FetchOutcome = 'done' | 'wrong bytes' | 'failed';

export interface PeerPorts {
  /** This node's name. */
  readonly node: string;
  readonly finder: PeerFinder;
  readonly fetcher: PeerFetcher;
  /** Left out: `ASK_BYTES_MIN`. */
  readonly askBytesMin?: number;
}

/** A blob with what names it. */
export interface ListedBlob {
  readonly digest: Digest;
  /** The release or index that names it; undefined: nothing does. */
  readonly list: Digest | undefined;
  /** Undefined: unknown, and then it comes from dom. */
  readonly sizeBytes: number | undefined;
}

/**
 * Where each blob is fetched from: dom, or another edge that dom has named.
 *
 * Guarantees: an edge that is not reached, has not what it should, sends wrong bytes or is slow is
 * left aside, and the next one or dom takes over: all that it can cost is `PEER_PATIENCE_MS`, or the
 * time in which what it says to get comes at the least rate.
 */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #lists = new Map<Digest, PeerList>();

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /** What is missing by now: lists of which nothing is are forgotten. */
  want(blobs: readonly ListedBlob[]): void {
    const missing = missingBytes(blobs);
    for (const list of [...this.#lists.keys()]) if (!missing.has(list)) this.#lists.delete(list);
    const { peers, ...options } = this.#options;
    if (peers === undefined) return;
    const { askBytesMin = ASK_BYTES_MIN } = peers;
    for (const [list, bytes] of missing) {
      const known = this.#lists.get(list);
      if (known !== undefined) known.lacks(bytes);
      else if (bytes >= askBytesMin)
        this.#lists.set(list, new PeerList({ ...options, ...peers, list, missingBytes: bytes }));
    }
  }

  /** For one fetch of this blob. */
  of({ list, sizeBytes }: ListedBlob): BlobSource {
    const peers = list === undefined ? undefined : this.#lists.get(list);
    return peers === undefined || sizeBytes === undefined
      ? this.#options.source
      : peers.alone(sizeBytes);
  }

  /** For one question for this blob and others; undefined: who is in use wants one for each. */
  several({ list }: ListedBlob): Pick<BlobSource, 'fetchSmall'> | undefined {
    const peers = list === undefined ? undefined : this.#lists.get(list);
    if (peers === undefined || peers.isDomAlone()) return this.#options.source;
    return peers.takesSeveral() ? peers : undefined;
  }

  /**
   * A fetch has ended, well or badly. `again`: it failed because of an edge, which is left aside by
   * now: another try is worth it at once.
   */
  ended(blob: ListedBlob, outcome: FetchOutcome): 'again' | 'over' {
    const peers = blob.list === undefined ? undefined : this.#lists.get(blob.list);
    return peers?.ended(blob, outcome) ?? 'over';
  }
}

function missingBytes(blobs: readonly ListedBlob[]): ReadonlyMap<Digest, number> {
  const missing = new Map<Digest, number>();
  for (const { list, sizeBytes } of blobs)
    if (list !== undefined && sizeBytes !== undefined)
      missing.set(list, (missing.get(list) ?? 0) + sizeBytes);
  return missing;
}
