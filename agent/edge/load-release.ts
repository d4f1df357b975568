import type { Digest } from '../../runtime/content/digest.ts';
import { parseManifest, type ReleaseFile } from '../../runtime/content/manifest.ts';
import { parseVariants } from '../../runtime/content/variants.ts';
import type { DiskReader } from '../../runtime/disk/disk-reader.ts';
import type { Log } from '../../runtime/log.ts';
import {
  HEADERS_FILE,
  parseRules,
  REDIRECTS_FILE,
  type ReleaseRules,
  RULES_FILE_BYTES_MAX,
  type RulesText,
} from '../../runtime/release-rules/release-rules.ts';
import { type OnDamaged, readVerified } from './blobs/blob-source.ts';
import { compileRelease, type EdgeRelease, type KnownForms } from './release.ts';
import type { EdgeVariants } from './snapshot.ts';

/** A release to be served, with its compressed forms if there are any. */
export interface WantedRelease {
  readonly release: Digest;
  readonly variants: EdgeVariants | undefined;
}

export interface LoadPorts {
  readonly disk: DiskReader;
  readonly log: Log;
  readonly onDamaged: OnDamaged;
}

/**
 * Loads a release from disk, as far as one of `held` is not it already. Compressed forms help and
 * are never needed: where their index cannot be read, there are none.
 *
 * Errors: throws where the manifest is absent, changed or none.
 */
export async function loadRelease(
  ports: LoadPorts,
  { release, variants }: WantedRelease,
  held: readonly EdgeRelease[],
): Promise<EdgeRelease> {
  const same = held.filter(({ digest }) => digest === release);
  const withForms = (from: string) => same.find((each) => each.formsFrom === from);
  const whole = withForms(nameOf(variants));
  if (whole !== undefined) return whole;
  const known = variants === undefined ? undefined : await loadForms(ports, variants);
  if (known === undefined) {
    const bare = withForms('');
    if (bare !== undefined) return bare;
  }
  const [first] = same;
  if (first !== undefined) return compileRelease(release, first.files.values(), known, first.rules);
  const files = parseManifest(await readVerified(ports.disk, release));
  return compileRelease(release, files, known, await loadRules(ports, files));
}

/** Throws where such a file cannot be read: without its rules the release would be another one. */
async function loadRules(
  { disk, onDamaged }: LoadPorts,
  files: readonly ReleaseFile[],
): Promise<ReleaseRules> {
  const textOf = async (path: string): Promise<RulesText> => {
    const file = files.find((each) => each.path === path);
    if (file === undefined) return undefined;
    if (file.sizeBytes > RULES_FILE_BYTES_MAX) return { sizeBytes: file.sizeBytes };
    try {
      return Buffer.from(await readVerified(disk, file.digest)).toString('utf8');
    } catch (cause) {
      onDamaged(file.digest);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`read ${path} of the release: ${why}`, { cause });
    }
  };
  const [redirects, headers] = [await textOf(REDIRECTS_FILE), await textOf(HEADERS_FILE)];
  return parseRules({ redirects, headers });
}

async function loadForms(
  { disk, log, onDamaged }: LoadPorts,
  variants: EdgeVariants,
): Promise<KnownForms | undefined> {
  const { release, index, absent } = variants;
  try {
    const parsed = parseVariants(await readVerified(disk, index));
    return { variants: parsed, absent: new Set(absent), from: nameOf(variants) };
  } catch (error) {
    log.warn({ release, index, error: String(error) }, 'compressed forms not loaded');
    onDamaged(index);
    return undefined;
  }
}

/** Two that are named alike are the same. */
function nameOf(variants: EdgeVariants | undefined): string {
  return variants === undefined ? '' : [variants.index, ...variants.absent].join(' ');
}
