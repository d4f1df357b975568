import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** Read at once; a table takes some thirty of these. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Reads files of a folder straight into memory that all threads see; undefined: there is none, or it
 * became shorter meanwhile. Pieces that are copied would lie about
 * as garbage as large as the file, for long after.
 */
export function nodeReadShared(folder: string): (path: string) => Promise<Uint8Array | undefined> {
  return async (path) => {
    const file = await open(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(new SharedArrayBuffer(size));
      let filledBytes = 0;
      while (filledBytes < size) {
        const length = Math.min(PIECE_BYTES, size - filledBytes);
        const { bytesRead } = await file.read(bytes, filledBytes, length, filledBytes);
        if (bytesRead === 0) return undefined;
        filledBytes += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  };
}
