import type { Disk } from './disk.ts';

/** What a worker may do with its node's disk: the control part alone writes to it. */
export interface DiskReader extends Pick<Disk, 'stream' | 'stat'> {
  /** As `Disk.read`, and at once where the disk is so fast that a promise would take longer. */
  read(path: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}
