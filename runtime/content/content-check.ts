import { printable } from '../printable.ts';
import { MANIFEST_FILES_MAX, pathProblem } from './manifest.ts';

/** What an entry of a folder or an archive says it is. */
export type EntryKind =
  | 'file'
  | 'folder'
  | 'symbolic link'
  | 'hard link'
  | 'device'
  | 'named pipe'
  | 'sparse file'
  | 'encrypted file'
  | 'something unknown';

export interface CheckedEntry {
  /** What the person is told, e.g. with the folder in front. */
  readonly shown: string;
  /** Relative to the root of the site, as it was found; undefined: its bytes are not UTF-8. */
  readonly name: string | undefined;
  readonly kind: EntryKind;
  readonly sizeBytes: number;
}

/** What becomes of an entry. */
export type Admitted =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder' }
  /** It is of no site, or was refused, which `finish` tells. */
  | { readonly kind: 'left out' };

/** The largest file that dom takes. */
export const FILE_BYTES_MAX = 4 * 1024 * 1024 * 1024;
/** All files of one release together. */
export const CONTENT_BYTES_MAX = 256 * 1024 * 1024 * 1024;
/** Files and folders; an archive of nothing but folders must end, too. */
export const ENTRIES_MAX = 4 * MANIFEST_FILES_MAX;

/** How many problems are told at once. */
const PROBLEMS_MAX = 10;

/** Leavings of the tools that people edit with, never meant to be published. */
const SKIPPED: ReadonlySet<string> = new Set(['.git', '.DS_Store', '__MACOSX']);

/** Whether it, or a folder that it lies in, is never published. */
export function isLeftOut(path: string): boolean {
  return path.split('/').some((part) => SKIPPED.has(part));
}

/**
 * Decides of each entry of a folder or an archive whether it may be published. Hostile ones are
 * refused whole: nothing may be uploaded before `finish` has returned.
 *
 * Guarantees: of what it lets through, no path leaves the site's root, none is there twice, also
 * where upper and lower case or Unicode's normal forms are one, and none is both file and folder.
 * Errors: one naming up to PROBLEMS_MAX entries, each with its mend.
 */
export class EntryCheck {
  readonly #source: string;
  readonly #errorOf: (message: string) => Error;
  readonly #problems: string[] = [];
  /** What each file or folder above one was called first, by what it is called where case is one. */
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  #entries = 0;
  #sizeBytes = 0;

  /** `errorOf` makes what is thrown; the message begins with the source, in quotes. */
  constructor(source: string, errorOf: (message: string) => Error) {
    this.#source = source;
    this.#errorOf = errorOf;
  }

  admit(entry: CheckedEntry): Admitted {
    this.#entries += 1;
    if (this.#entries > ENTRIES_MAX) this.#refuse(`more than ${ENTRIES_MAX} entries`);
    const path = pathOf(entry.name);
    // The root itself, with which tar begins when it packs ".".
    if ((path === '' || path === '.') && entry.kind === 'folder') return { kind: 'left out' };
    if (path !== undefined && isLeftOut(path)) return { kind: 'left out' };
    const problem = entryProblem(path, entry) ?? this.#clash(path ?? '', entry.kind);
    if (problem !== undefined) {
      this.#problems.push(`${printable(entry.shown)} ${problem}`);
      // Enough is known to refuse it; a hostile one may have many more.
      if (this.#problems.length > PROBLEMS_MAX) this.refuseProblems();
      return { kind: 'left out' };
    }
    if (entry.kind === 'folder') return { kind: 'folder' };
    return { kind: 'file', path: path ?? '' };
  }

  /** Counts what came out of a file, and what it is part of. */
  count(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > CONTENT_BYTES_MAX) this.#refuse(`over ${CONTENT_BYTES_MAX} bytes`);
  }

  /** Throws unless all was well. */
  finish(): void {
    this.refuseProblems();
    if (this.#files.size === 0) throw this.#errorOf(`"${this.#source}" holds no files to publish`);
  }

  /** Throws if an entry was refused so far: that says more than how reading ended. */
  refuseProblems(): void {
    const told = this.#problems.slice(0, PROBLEMS_MAX);
    const more = this.#problems.length > PROBLEMS_MAX ? ['and more like these'] : [];
    if (told.length > 0) this.#refuse(['', ...told, ...more].join('\n  '));
  }

  #clash(path: string, kind: EntryKind): string | undefined {
    const same = keyOf(path);
    if (kind === 'folder') this.#noteFolders(same, path);
    else {
      const first = this.#files.get(same);
      if (first === path) return 'is there twice; remove one';
      if (first !== undefined)
        return `and ${printable(first)} differ only in case; rename one, for not all systems tell them apart`;
      if (this.#files.size >= MANIFEST_FILES_MAX)
        this.#refuse(`more than ${MANIFEST_FILES_MAX} files`);
      this.#files.set(same, path);
      const end = same.lastIndexOf('/');
      if (end > 0) this.#noteFolders(same.slice(0, end), path);
      if (this.#folders.has(same)) return 'is a file and a folder; rename one';
    }
    return this.#fileAbove(same, kind === 'folder');
  }

  #noteFolders(same: string, path: string): void {
    for (let end = same.length; end > 0; end = same.lastIndexOf('/', end - 1)) {
      const folder = same.slice(0, end);
      if (this.#folders.has(folder)) return;
      this.#folders.set(folder, path);
    }
  }

  #fileAbove(same: string, isFolder: boolean): string | undefined {
    const from = isFolder ? same.length : same.lastIndexOf('/');
    for (let end = from; end > 0; end = same.lastIndexOf('/', end - 1))
      if (this.#files.has(same.slice(0, end))) return 'lies in what is a file, too; rename one';
    return undefined;
  }

  #refuse(why: string): never {
    const text = why.startsWith('\n') ? why : ` ${why}`;
    throw this.#errorOf(`"${this.#source}" cannot be published:${text}`);
  }
}

/** Where an entry goes: relative to the site's root, in Unicode normal form C. */
export function pathOf(name: string | undefined): string | undefined {
  return name
    ?.replace(/^(?:\.\/)+/u, '')
    .replace(/(?<=[^/])\/$/u, '')
    .normalize('NFC');
}

/** Equal for names that are one where case is not told apart. */
function keyOf(path: string): string {
  return path.toLowerCase().normalize('NFC');
}

function entryProblem(path: string | undefined, entry: CheckedEntry): string | undefined {
  // What the file system could not decode reads as U+FFFD, and cannot be opened by that name.
  if (path === undefined || path.includes('\uFFFD'))
    return 'has a name that is not UTF-8; rename it';
  if (path.startsWith('/') || /^[A-Za-z]:[\\/]/u.test(path))
    return 'has an absolute path; make it relative';
  const problem = pathProblem(path);
  if (problem !== undefined) return `${problem}; rename it`;
  const mend = MENDS[entry.kind];
  if (mend !== undefined) return mend;
  if (entry.kind === 'file' && entry.sizeBytes > FILE_BYTES_MAX)
    return `is over ${FILE_BYTES_MAX} bytes; split it`;
  return undefined;
}

const MENDS: Readonly<Record<EntryKind, string | undefined>> = {
  file: undefined,
  folder: undefined,
  'symbolic link': 'is a symbolic link; replace it by what it points to',
  'hard link': 'is a hard link; pack the file itself, e.g. with tar --hard-dereference',
  device: 'is a device; remove it',
  'named pipe': 'is a named pipe; remove it',
  'sparse file': 'is a sparse file; pack it without --sparse',
  'encrypted file': 'is encrypted; pack it without a password',
  'something unknown': 'is neither a file nor a folder; remove it',
};
