export interface FileEntry {
  /** The last part of the path; may hold any character but `/` and NUL. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** 0 for all but files. */
  readonly sizeBytes: number;
  /** Of files. */
  readonly stamp?: FileStamp;
}

/** What tells, without reading it, that a file is the same as it was. */
export interface FileStamp {
  readonly sizeBytes: number;
  /** Equal only for the same file with the same size and times, as far as those are told apart. */
  readonly text: string;
  /** When it, or what is known of it, was last changed: Unix time. */
  readonly changedMs: number;
}

/**
 * The files of the person who runs a command, as a port. Paths are as given on the command line,
 * relative to the working directory.
 *
 * Guarantees: `list` is sorted by name and never follows links inside a folder; `stream` refuses
 * a link as the last part of a path; `writeText` replaces whole or not at all, readable by the
 * owner only.
 * Errors: what is absent reads as `undefined`; anything else throws, with the path in the message.
 */
export interface Files {
  readText(path: string): Promise<string | undefined>;
  writeText(path: string, text: string): Promise<void>;
  /** Follows links: it is the path that a person named. */
  kind(path: string): Promise<'file' | 'folder' | 'other' | undefined>;
  list(folder: string): Promise<readonly FileEntry[]>;
  /** Of a file, or what a link of that name points to; undefined: there is no such file. */
  stamp(path: string): Promise<FileStamp | undefined>;
  /** The same for each way to name a folder. */
  realPath(path: string): Promise<string>;
  /** In pieces of at most 256 KiB, from byte `start` up to before byte `end`. */
  stream(
    path: string,
    range?: { readonly start?: number; readonly end?: number },
  ): AsyncIterable<Uint8Array>;
  /** All of standard input. */
  readStandardInput(): Promise<string>;
}

/**
 * The person's editor, as a port.
 *
 * Errors: an editor that cannot be started, or that ends with an error, throws.
 */
export interface Editor {
  /** Opens `text` in a file called like `name`; resolves to what was saved. */
  edit(text: string, name: string): Promise<string>;
}
