import { BlobOffsetError, type BlobSource } from '../../runtime/content/blob-source.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import type { DesiredContent } from './plan.ts';

/** A release of these files, and all blobs it is made of. */
export function release(files: Readonly<Record<string, string>>) {
  const blobs = new Map<Digest, Uint8Array>();
  const listed = Object.entries(files).map(([path, text]) => {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { path, digest, sizeBytes: bytes.length, contentType: 'text/plain' };
  });
  const manifest = encodeManifest(listed);
  const digest = digestOf(manifest);
  blobs.set(digest, manifest);
  return { digest, blobs };
}

export interface PlayedSource extends BlobSource {
  /** Every fetch so far, in order. */
  readonly asked: { readonly digest: Digest; readonly offsetBytes: number }[];
  /** How many were under way at once, at most. */
  readonly busiest: () => number;
}

export interface PlayedFault {
  /** Gives these bytes instead of the right ones. */
  readonly wrong?: string;
  /** Breaks after this many bytes of an answer. */
  readonly cutAfterBytes?: number;
  /** Gives nothing, ever. */
  readonly hang?: true;
}

/** Dom's blobs, with faults: `fault` is asked at each fetch. */
export function playedSource(
  blobs: ReadonlyMap<Digest, Uint8Array>,
  fault: (digest: Digest, count: number) => PlayedFault = () => ({}),
): PlayedSource {
  const asked: { readonly digest: Digest; readonly offsetBytes: number }[] = [];
  let running = 0;
  let busiest = 0;

  async function* pieces(digest: Digest, offsetBytes: number, signal: AbortSignal) {
    const { wrong, cutAfterBytes, hang } = fault(digest, asked.length);
    if (hang) await aborted(signal);
    const right = blobs.get(digest);
    if (right === undefined) throw new Error(`dom has no ${digest}`);
    if (offsetBytes > right.length) throw new BlobOffsetError(`${digest} ends before that`);
    const bytes = (wrong === undefined ? right : Buffer.from(wrong)).subarray(offsetBytes);
    const end = cutAfterBytes ?? bytes.length;
    for (let at = 0; at < end; at += 7) {
      signal.throwIfAborted();
      await Promise.resolve();
      yield bytes.subarray(at, Math.min(at + 7, end));
    }
    if (cutAfterBytes !== undefined) throw new Error('the stream was cut');
  }

  return {
    asked,
    busiest: () => busiest,
    async *fetch(digest, offsetBytes, signal) {
      asked.push({ digest, offsetBytes });
      running += 1;
      busiest = Math.max(busiest, running);
      try {
        yield* pieces(digest, offsetBytes, signal);
      } finally {
        running -= 1;
      }
    },
  };
}

export function desired(content: Partial<DesiredContent>): DesiredContent {
  const nothing = { releases: [], blobs: [], variants: [], keepReleases: [], keepBlobs: [] };
  return { ...nothing, ...content };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
