import { contentTypeOf } from '../../runtime/content/content-type.ts';
import { digestHex, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import type { Made } from './stage.ts';

/** Where b8sctl finds what it is to push. */
export const FOLDER = 'public';

/** So many files differ from version to version that a push can be caught in the middle. */
const NOTES = 24;

/** What a scenario calls "version 2 of blog": the same bytes, and so the same digest, in any world. */
export function makeRelease(site: string, version: number): Made {
  const notes = Array.from({ length: NOTES }, (_, index): readonly [string, string] => [
    `notes/${index + 1}.html`,
    `<h1>note ${index + 1} of ${site}, version ${version}</h1>\n`,
  ]);
  const texts: readonly (readonly [string, string])[] = [
    ['about.html', `always the same at ${site}\n`],
    ['assets/style.css', `body { --version: ${version} }\n`],
    ['index.html', `<h1>${site}, version ${version}</h1>\n`],
    ...notes,
  ];
  const files = new Map(texts.map(([path, text]) => [path, Buffer.from(text)]));
  const manifest = encodeManifest(
    [...files].map(([path, bytes]) => ({
      path,
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      contentType: contentTypeOf(path),
    })),
  );
  return { site, digest: digestOf(manifest), files };
}

/** As the header `b8s-release` shows it. */
export function markOf({ digest }: Made): string {
  return digestHex(digest).slice(0, 12);
}
