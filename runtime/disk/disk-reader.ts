import type { Disk } from './disk.ts';

/** What a worker may do with its node's disk: the control part alone writes to it. */
export interface DiskReader extends Pick<Disk, 'stream' | 'stat'> {
  /**
   * As `Disk.read`, and at once where the disk is so fast that a promise would take longer. `lent`:
   * what comes at once may lie in memory that the next such read uses again.
   */
  read(path: string, lent?: LentRead): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** For a few bytes that are copied or looked at before anybody else reads. */
export interface LentRead {
  /** What is beyond that is left out: the file should be so long, 64 KiB at most. */
  readonly sizeBytes: number;
}

export const LENT_BYTES_MAX: number = 64 * 1024;
