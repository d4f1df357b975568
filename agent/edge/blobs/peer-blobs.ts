import type { Clock } from '../../../runtime/clock.ts';
import { blobPath, type Digest, partPath } from '../../../runtime/content/digest.ts';
import { checkPeerPath } from '../../../runtime/content/peer-url.ts';
import { HELD_HEADER } from '../../../runtime/content/peers.ts';
import {
  BATCH_BYTES_MAX,
  encodeHeads,
  HEADS_HEADER,
  NOT_YET,
  SMALL_BLOB_BYTES_MAX,
  type SmallBlobHead,
} from '../../../runtime/content/small-blobs.ts';
import type { DiskReader } from '../../../runtime/disk/disk-reader.ts';
import type { HttpAnswer, HttpHeaders, HttpRequest } from '../../../runtime/http.ts';
import type { EdgePeering } from '../snapshot.ts';
import { PeerLists } from './peer-lists.ts';

/** Answers with blobs that one edge worker sends to other nodes at once; clients come first. */
export const PEER_UPLOADS_MAX = 16;
/** When a node that was turned away may come again. */
const RETRY_AFTER_S = '1';

export interface PeerBlobsPorts {
  readonly disk: DiskReader;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * Answers other nodes with blobs from this one's disk: whoever has a URL that was signed for one, or
 * for several small ones, gets it, and nobody else learns even whether it is here. The bytes are not
 * looked at: who fetches verifies them.
 *
 * 200 and 206 give it, of several those that are here; 503 says that it is not here or not yet, or that others are being served;
 * 403 and 404 that another try would not help. Nothing of it is kept in memory, where the files
 * that clients ask for are.
 */
export class PeerBlobs {
  readonly #ports: PeerBlobsPorts;
  readonly #lists: PeerLists;
  #peering: EdgePeering | undefined;
  #uploads = 0;

  constructor(ports: PeerBlobsPorts) {
    this.#ports = ports;
    this.#lists = new PeerLists(ports.disk);
  }

  /** Undefined: no node may fetch from this one. */
  replace(peering: EdgePeering | undefined): void {
    this.#peering = peering;
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const { clock } = this.#ports;
    if (request.method !== 'GET') return text(405, 'Only GET.\n', [['allow', 'GET']]);
    if (this.#peering === undefined || !request.secure) return text(404, 'Not here.\n');
    const { key } = this.#peering;
    const asked = checkPeerPath(request.path, { key, nowS: clock.nowMs() / 1000 });
    if (asked.kind === 'refused') return text(403, `${asked.why}\n`);
    if (this.#uploads >= PEER_UPLOADS_MAX) return later([]);
    this.#uploads += 1;
    let answer: HttpAnswer | undefined;
    try {
      answer =
        asked.kind === 'one'
          ? await this.#send(asked, offsetOf(request))
          : await this.#sendSeveral(asked);
      return answer;
    } catch {
      // The disk failed: what is there may be read later, or by another node.
      return later([]);
    } finally {
      // A stream is over when its reader says so.
      if (!isStream(answer?.body)) this.#uploads -= 1;
    }
  }

  async #send(
    { digest, list }: { readonly digest: Digest; readonly list: Digest },
    start: number,
  ): Promise<HttpAnswer> {
    const { disk } = this.#ports;
    const sizes = await this.#lists.of(list);
    if (sizes === undefined) return later([]);
    const sizeBytes = sizes.get(digest);
    if (sizeBytes === undefined) return text(404, 'The list does not name it.\n');
    if (start > sizeBytes) return text(416, 'It ends before that.\n');
    const range = { start, sizeBytes };
    if (sizeBytes > SMALL_BLOB_BYTES_MAX) return this.#stream(digest, range);
    const bytes = await disk.read(blobPath(digest));
    if (bytes?.length !== sizeBytes) return this.#notYet(digest);
    return found(range, bytes.subarray(start));
  }

  /** A URI is as long as what it asks for, and each byte is read at once: both have bounds. */
  async #sendSeveral({
    digests,
    list,
  }: {
    readonly digests: readonly Digest[];
    readonly list: Digest;
  }): Promise<HttpAnswer> {
    const sizes = await this.#lists.of(list);
    if (sizes === undefined) return later([]);
    const heads: SmallBlobHead[] = [];
    const found: Uint8Array[] = [];
    let usedBytes = 0;
    for (const digest of digests) {
      const sizeBytes = sizes.get(digest);
      if (sizeBytes === undefined) {
        heads.push('NOT_FOUND');
      } else if (sizeBytes > SMALL_BLOB_BYTES_MAX || usedBytes + sizeBytes > BATCH_BYTES_MAX) {
        heads.push('TOO_LARGE');
      } else {
        const bytes = await this.#ports.disk.read(blobPath(digest));
        const isHere = bytes?.length === sizeBytes;
        heads.push(isHere ? sizeBytes : NOT_YET);
        if (!isHere) continue;
        found.push(bytes);
        usedBytes += sizeBytes;
      }
    }
    if (heads.every((head) => head === NOT_YET)) return later([[HELD_HEADER, '0']]);
    return whole(Buffer.concat(found, usedBytes), [[HEADS_HEADER, encodeHeads(heads)]]);
  }

  async #stream(
    digest: Digest,
    range: { readonly start: number; readonly sizeBytes: number },
  ): Promise<HttpAnswer> {
    const entry = await this.#ports.disk.stat(blobPath(digest));
    if (entry?.sizeBytes !== range.sizeBytes) return this.#notYet(digest);
    const options = { start: range.start, end: range.sizeBytes, memory: 'one piece' } as const;
    const pieces = this.#ports.disk.stream(blobPath(digest), options)[Symbol.asyncIterator]();
    return found(range, new Upload(pieces, () => (this.#uploads -= 1)));
  }

  async #notYet(digest: Digest): Promise<HttpAnswer> {
    const part = await this.#ports.disk.stat(partPath(digest));
    return later([[HELD_HEADER, String(part?.sizeBytes ?? 0)]]);
  }
}

/** No generator: one that was never begun would not say that it is over. */
class Upload implements AsyncIterableIterator<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #onOver: (() => void) | undefined;

  constructor(pieces: AsyncIterator<Uint8Array>, onOver: () => void) {
    this.#pieces = pieces;
    this.#onOver = onOver;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(...bytesMax: [] | [unknown]): Promise<IteratorResult<Uint8Array>> {
    try {
      const next = await this.#pieces.next(...bytesMax);
      if (next.done === true) this.#over();
      return next;
    } catch (error) {
      this.#over();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#over();
    await this.#pieces.return?.();
    return { done: true, value: undefined };
  }

  #over(): void {
    this.#onOver?.();
    this.#onOver = undefined;
  }
}

function found(
  { start, sizeBytes }: { readonly start: number; readonly sizeBytes: number },
  body: Uint8Array | AsyncIterable<Uint8Array>,
): HttpAnswer {
  const headers = headersOf(sizeBytes - start);
  if (start === 0) return { status: 200, headers, body };
  const range = `bytes ${start}-${sizeBytes - 1}/${sizeBytes}`;
  return { status: 206, headers: [...headers, ['content-range', range]], body };
}

function whole(body: Uint8Array, headers: HttpHeaders): HttpAnswer {
  return { status: 200, headers: [...headersOf(body.length), ...headers], body };
}

function headersOf(sizeBytes: number): HttpHeaders {
  return [
    ['content-type', 'application/octet-stream'],
    ['content-length', String(sizeBytes)],
    // A copy in between would outlive the signature.
    ['cache-control', 'no-store'],
  ];
}

function later(headers: HttpHeaders): HttpAnswer {
  return text(503, 'Not now.\n', [['retry-after', RETRY_AFTER_S], ...headers]);
}

function text(status: number, body: string, headers: HttpHeaders = []): HttpAnswer {
  const own: HttpHeaders = [
    ['content-type', 'text/plain;charset=utf-8'],
    ['content-length', String(Buffer.byteLength(body))],
    ['cache-control', 'no-store'],
  ];
  return { status, headers: [...own, ...headers], body };
}

/** Of `Range: bytes=N-`, which is all that nodes ask for (RFC 9110 §14.1.2); else from the start. */
function offsetOf({ headers }: HttpRequest): number {
  const { range } = headers;
  const digits = typeof range === 'string' ? /^bytes=(\d{1,15})-$/u.exec(range)?.[1] : undefined;
  return Number(digits ?? 0);
}

function isStream(body: HttpAnswer['body']): boolean {
  return typeof body === 'object' && !(body instanceof Uint8Array);
}
