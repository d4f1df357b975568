import { BlobOffsetError, type BlobSource } from '../../runtime/content/blob-source.ts';
import type { SmallBlobHead, SmallBlobs } from '../../runtime/content/small-blobs.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Check } from '../check/check.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import type { Caller } from './caller.ts';
import { damaged, inPieces, PIECES_BYTES } from './pieces.ts';
import { type Offer, Service, type ServicePorts } from './service.ts';

export interface BlobRequest {
  readonly identity: Identity;
  readonly digest: string;
  readonly offsetBytes: number;
}

export interface BlobWaysPorts extends Omit<ServicePorts, 'chance'> {
  readonly random: SeededRandom;
  readonly faults: () => NetFaults;
  readonly watch: Pick<Check, 'called'>;
  /** The host that a sub fetches from by now. */
  readonly sourceOf: (caller: Caller) => string;
}

/** How blobs get from doms to nodes, and what befalls them: whoever fetches has to verify. */
export class BlobWays {
  readonly #ports: BlobWaysPorts;
  readonly #service: Service<BlobRequest, Uint8Array>;

  constructor(ports: BlobWaysPorts) {
    const random = ports.random.fork('blobs');
    const { faults } = ports;
    this.#ports = { ...ports, random };
    this.#service = new Service(
      { ...ports, chance: (probability) => random.chance(probability) },
      {
        name: 'blobs',
        sizeBytes: (piece) => piece.length,
        faults: () => ({ cut: faults().blobCut, hang: faults().blobHang }),
      },
    );
  }

  /** From now on this process has the blobs of that host. */
  offer(host: string, { process, handle }: Offer<BlobRequest, Uint8Array>): void {
    const { random } = this.#ports;
    this.#service.offer(host, {
      process,
      handle: (request) => inPieces(handle(request), random.pick(PIECES_BYTES)),
    });
  }

  source(caller: Caller): BlobSource {
    return caller.process.wrap<BlobSource>({
      fetch: (digest, offsetBytes, signal) => this.#fetch(caller, { digest, offsetBytes, signal }),
      fetchSmall: (digests, signal) => this.#fetchSmall(caller, digests, signal),
    });
  }

  /**
   * Several with one question, which takes no longer than one of them, and which fail together where
   * the way to dom does.
   */
  async #fetchSmall(
    caller: Caller,
    digests: readonly string[],
    signal: AbortSignal,
  ): Promise<SmallBlobs> {
    const { random, faults } = this.#ports;
    const ended = await Promise.allSettled(
      digests.map(async (digest): Promise<SmallBlobHead | readonly Uint8Array[]> => {
        try {
          return await all(this.#fetch(caller, { digest, offsetBytes: 0, signal }));
        } catch (error) {
          if (error instanceof RequestError) return error.code;
          throw error;
        }
      }),
    );
    const heads: SmallBlobHead[] = [];
    const found: Uint8Array[] = [];
    for (const each of ended) {
      if (each.status === 'rejected') throw each.reason;
      const { value } = each;
      if (typeof value !== 'object') {
        heads.push(value);
        continue;
      }
      heads.push(value.reduce((sum, piece) => sum + piece.length, 0));
      found.push(...value);
    }
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (const piece of found) {
        if (random.chance(faults().blobCut)) throw new Error('the answer was cut');
        yield piece;
      }
    };
    return { heads, pieces: pieces() };
  }

  async *#fetch(
    caller: Caller,
    wanted: {
      readonly digest: string;
      readonly offsetBytes: number;
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<Uint8Array> {
    const { random, faults, watch, sourceOf, trace } = this.#ports;
    const { node, identity, process } = caller;
    const { digest, offsetBytes, signal } = wanted;
    const route = { from: node, to: sourceOf(caller) };
    watch.called?.({ ...route, process: process.name, service: 'blobs', digest });
    const happens = (what: string): void => void trace.add('network', what, { kind: 'fault' });
    const request = { identity, digest, offsetBytes };
    const call = this.#service.call({ ...route, process, request, signal });
    for await (const piece of asDialled(call)) {
      const isDamaged = random.chance(faults().blobDamage);
      const comesTwice = random.chance(faults().blobRepeat);
      if (isDamaged) happens(`a blob for ${node} is damaged`);
      if (comesTwice) happens(`a piece of a blob for ${node} comes twice`);
      yield isDamaged ? damaged(piece, random) : piece;
      if (comesTwice) yield piece;
    }
  }
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}

/** Errors as the real dialer gives them. */
async function* asDialled(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== 'OUT_OF_RANGE') throw error;
    throw new BlobOffsetError(error.message, { cause: error });
  }
}
