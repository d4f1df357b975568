import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskPathParts } from '../disk-path.ts';
import type { DiskReader } from '../disk-reader.ts';

const PIECE_BYTES_MAX = 64 * 1024;

/**
 * The folder `root` for a thread that only reads it. Unlike `nodeDisk` it clears nothing away:
 * another thread may be in the middle of a write.
 */
export function nodeDiskReader(root: string): DiskReader {
  const full = (path: string): string => join(root, ...diskPathParts(path));
  return {
    async read(path) {
      try {
        return await readFile(full(path));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async *stream(path, { start = 0, end = Number.POSITIVE_INFINITY } = {}) {
      if (end <= start) return;
      const options = { start, end: end - 1, highWaterMark: PIECE_BYTES_MAX };
      yield* createReadStream(full(path), options) as AsyncIterable<Uint8Array>;
    },
  };
}
