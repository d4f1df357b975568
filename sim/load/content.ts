import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { SiteStyle } from '../run/setting.ts';
import { MEMBERS_PAGE, MOVED_PATH, movedTo, VERSION_HEADER } from './pages.ts';

/** A release as its author has it. */
export interface Published {
  readonly digest: Digest;
  /** The files' bytes by path. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** All blobs it is made of, the manifest last: what a release is uploaded in. */
  readonly blobs: readonly (readonly [Digest, Uint8Array])[];
  readonly sizeBytes: number;
  /** Its `_headers` and `_redirects` say this version; undefined: it has none of them. */
  readonly rules?: number | undefined;
}

const PADDING_BYTES_MAX = 3_000;
const RULED_SHARE = 0.5;

/**
 * Some version of a tiny site; parts of it are the same in every version. An elaborate one has pages
 * for members, and may bring rules.
 */
export function makeRelease(
  site: string,
  version: number,
  random: SeededRandom,
  style: SiteStyle = 'plain',
): Published {
  const isElaborate = style === 'elaborate';
  const rules = isElaborate && random.fork('rules').chance(RULED_SHARE) ? version : undefined;
  const padding = 'x'.repeat(random.integer(0, PADDING_BYTES_MAX));
  const texts: readonly (readonly [string, string])[] = [
    ...(rules === undefined ? [] : rulesFiles(rules)),
    ['about.html', 'always the same'],
    ['assets/style.css', `body { --version: ${version} } /* ${padding} */`],
    ['index.html', `<h1>${site}, version ${version}</h1>`],
    ...(isElaborate ? ([[MEMBERS_PAGE.file, `members of ${site}, ${version}`]] as const) : []),
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
  return { digest, files, blobs: [...blobs, [digest, manifest]], sizeBytes, rules };
}

function rulesFiles(version: number): readonly (readonly [string, string])[] {
  return [
    ['_headers', `/*\n  ${VERSION_HEADER}: ${version}\n`],
    ['_redirects', `${MOVED_PATH} ${movedTo(version)} 302\n`],
  ];
}
