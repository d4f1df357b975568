import type { EntryKind } from '../../runtime/content/content-check.ts';
import { CommandError } from '../cli.ts';

/** One entry of an archive, as it says of itself: nothing of it is to be trusted. */
export interface ArchiveEntry {
  /** As the archive has it; undefined: it is not UTF-8. */
  readonly name: string | undefined;
  readonly kind: EntryKind;
  /** Of a file, that of the bytes that `chunks` gives. */
  readonly sizeBytes: number;
  /** A file's bytes; throws where they are not all there. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** A tar, a zip or an image, which can be read more than once. */
export interface Archive {
  /** What the person called it. */
  readonly label: string;
  /** `one`: an entry's bytes must be read, if at all, before the next entry is asked for. */
  readonly atOnce: 'one' | 'several';
  entries(): AsyncIterable<ArchiveEntry>;
}

/** Thrown for an archive that cannot be read: damaged, cut short, or of no kind that we know. */
export function archiveError(label: string, why: string, cause?: unknown): CommandError {
  return new CommandError(`error: "${label}" cannot be published: ${why}`, { cause });
}

/** The text of a name; undefined: it is not UTF-8. */
export function nameOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
