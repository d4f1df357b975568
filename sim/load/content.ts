import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import type { SeededRandom } from '../engine/random.ts';

/** A release as its author has it. */
export interface Published {
  readonly digest: Digest;
  /** The files' bytes by path. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** All blobs it is made of, the manifest last: what a release is uploaded in. */
  readonly blobs: readonly (readonly [Digest, Uint8Array])[];
  readonly sizeBytes: number;
}

const PADDING_BYTES_MAX = 3_000;

/** Some version of a tiny site; parts of it are the same in every version. */
export function makeRelease(site: string, version: number, random: SeededRandom): Published {
  const padding = 'x'.repeat(random.integer(0, PADDING_BYTES_MAX));
  const texts: readonly (readonly [string, string])[] = [
    ['about.html', 'always the same'],
    ['assets/style.css', `body { --version: ${version} } /* ${padding} */`],
    ['index.html', `<h1>${site}, version ${version}</h1>`],
  ];
  const files = new Map(texts.map(([path, text]) => [path, Buffer.from(text)]));
  const manifest = encodeManifest(
    [...files].map(([path, bytes]) => ({
      path,
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      contentType: 'text/plain',
    })),
  );
  const digest = digestOf(manifest);
  const blobs = [...files.values()].map((bytes) => [digestOf(bytes), bytes] as const);
  const sizeBytes = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  return { digest, files, blobs: [...blobs, [digest, manifest]], sizeBytes };
}
