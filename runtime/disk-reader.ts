import type { Disk } from './disk.ts';

/** What a worker may do with its node's disk: the control part alone writes to it. */
export type DiskReader = Pick<Disk, 'read' | 'stream'>;
