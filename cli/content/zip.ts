import { crc32 } from 'node:zlib';
import { ENTRIES_MAX, type EntryKind, isLeftOut } from '../../runtime/content/content-check.ts';
import { MANIFEST_FILES_MAX } from '../../runtime/content/manifest.ts';
import type { Files } from '../../runtime/disk/files.ts';
import { type Archive, type ArchiveEntry, archiveError, nameOf } from './archive.ts';
import { inflated, refuseBomb } from './unpack.ts';

/** The end record with the longest comment (APPNOTE.TXT 4.3.16). */
const END_BYTES = 22;
const END_BYTES_MAX = END_BYTES + 0xff_ff;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
/** Of all entries together; their names are 1024 bytes at most. */
const DIRECTORY_BYTES_MAX = 128 * 1024 * 1024;

/**
 * A zip file (PKWARE's APPNOTE.TXT 6.3.10), read by its central directory.
 *
 * Guarantees: only the directory is in memory, at most DIRECTORY_BYTES_MAX. Entries that overlap,
 * as those of bombs do, are refused before any is unpacked; each entry has the name, the size and
 * the checksum that the directory told.
 * Errors: CommandError for what is damaged, cut short, in several parts, or packed by a method that
 * is neither stored nor deflate.
 */
export function zipArchive(label: string, path: string, files: Files): Archive {
  const zip: Zip = { label, path, files };
  return {
    label,
    atOnce: 'several',
    async *entries() {
      const listed = parseDirectory(label, await readDirectory(zip));
      refuseTooMany(label, listed);
      refuseOverlaps(label, listed);
      const inBytes = (await files.stamp(path))?.sizeBytes ?? 0;
      const outBytes = listed.reduce((sum, each) => sum + each.sizeBytes, 0);
      refuseBomb(label, { inBytes, outBytes });
      for (const each of listed) yield entryOf(zip, each);
    },
  };
}

interface Zip {
  readonly label: string;
  readonly path: string;
  readonly files: Files;
}

interface Listed {
  readonly nameBytes: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly offset: number;
  readonly kind: EntryKind;
}

function entryOf(zip: Zip, listed: Listed): ArchiveEntry {
  const { nameBytes, kind, sizeBytes } = listed;
  return { name: nameOf(nameBytes), kind, sizeBytes, chunks: () => contentOf(zip, listed) };
}

async function* contentOf(zip: Zip, listed: Listed): AsyncGenerator<Uint8Array> {
  const { offset, packedBytes, method, nameBytes } = listed;
  const refuse = (why: string): never => {
    throw archiveError(zip.label, `${JSON.stringify(nameBytes.toString())} ${why}`);
  };
  const local = await readRange(zip, offset, LOCAL_BYTES + nameBytes.length);
  if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== 0x04_03_4b_50)
    return refuse('is not where the directory says; pack it again');
  const sameName = local.readUInt16LE(26) === nameBytes.length;
  if (!sameName || !local.subarray(LOCAL_BYTES).equals(nameBytes))
    return refuse('has another name in its own header; pack it again');
  if (method !== 0 && method !== 8)
    return refuse(`is packed by method ${method}; use deflate, which every tool has`);
  const start = offset + LOCAL_BYTES + nameBytes.length + local.readUInt16LE(28);
  const packed = zip.files.stream(zip.path, { start, end: start + packedBytes });
  yield* checked(method === 0 ? packed : inflated(zip.label, packed), listed, refuse);
}

/** Exactly as many bytes as were told, with the checksum that was told. */
async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  { sizeBytes, crc }: Listed,
  refuse: (why: string) => never,
): AsyncGenerator<Uint8Array> {
  let [readBytes, sum] = [0, 0];
  for await (const chunk of chunks) {
    readBytes += chunk.byteLength;
    if (readBytes > sizeBytes) refuse('is longer than the directory says; pack it again');
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (readBytes < sizeBytes || sum !== crc) refuse('is damaged; pack it again');
}

async function readDirectory(zip: Zip): Promise<Buffer> {
  const sizeBytes = (await zip.files.stamp(zip.path))?.sizeBytes ?? 0;
  const tailStart = Math.max(0, sizeBytes - END_BYTES_MAX);
  const tail = await readRange(zip, tailStart, sizeBytes - tailStart);
  const at = findEnd(tail);
  if (at === undefined)
    throw archiveError(zip.label, 'it has no end; it is cut short, pack it again');
  const told = {
    parts: tail.readUInt16LE(at + 4) + tail.readUInt16LE(at + 6),
    count: tail.readUInt16LE(at + 10),
    bytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  const isLarge =
    told.offset === 0xff_ff_ff_ff || told.bytes === 0xff_ff_ff_ff || told.count === 0xff_ff;
  const { bytes, offset } = isLarge ? await largeEnd(zip, tailStart + at, told) : told;
  if (told.parts !== 0 && !isLarge)
    throw archiveError(zip.label, 'it is in several parts; join them');
  if (bytes > DIRECTORY_BYTES_MAX)
    throw archiveError(zip.label, `its directory is over ${DIRECTORY_BYTES_MAX} bytes`);
  if (offset + bytes > sizeBytes)
    throw archiveError(zip.label, 'it is cut short at its start; pack it again');
  return await readRange(zip, offset, bytes);
}

/** The last end record whose comment reaches exactly to the end. */
function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== 0x06_05_4b_50) continue;
    if (at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return undefined;
}

/** Zip64 (4.3.14, 4.3.15): its locator lies before the end record. */
async function largeEnd(
  zip: Zip,
  endOffset: number,
  told: { readonly bytes: number; readonly offset: number },
): Promise<{ readonly bytes: number; readonly offset: number }> {
  const locator = await readRange(zip, Math.max(0, endOffset - 20), 20);
  // 65,535 entries can be just that many.
  if (locator.length < 20 || locator.readUInt32LE(0) !== 0x07_06_4b_50) return told;
  const end = await readRange(zip, large(locator, 8), 56);
  if (end.length < 56 || end.readUInt32LE(0) !== 0x06_06_4b_50)
    throw archiveError(zip.label, 'its end is damaged; pack it again');
  return { bytes: large(end, 40), offset: large(end, 48) };
}

function parseDirectory(label: string, directory: Buffer): readonly Listed[] {
  const listed: Listed[] = [];
  for (let at = 0; at < directory.length; ) {
    const isHeader =
      at + CENTRAL_BYTES <= directory.length && directory.readUInt32LE(at) === 0x02_01_4b_50;
    // A signature of the whole (4.3.13) may come last.
    if (!isHeader && listed.length > 0) break;
    if (!isHeader) throw archiveError(label, 'its directory is damaged; pack it again');
    if (listed.length >= ENTRIES_MAX) throw archiveError(label, `more than ${ENTRIES_MAX} entries`);
    const nameEnd = at + CENTRAL_BYTES + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    if (extraEnd > directory.length)
      throw archiveError(label, 'its directory is damaged; pack it again');
    listed.push(parseHeader(directory, { at, nameEnd, extraEnd }));
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return listed;
}

function parseHeader(
  directory: Buffer,
  { at, nameEnd, extraEnd }: { at: number; nameEnd: number; extraEnd: number },
): Listed {
  const nameBytes = directory.subarray(at + CENTRAL_BYTES, nameEnd);
  const flags = directory.readUInt16LE(at + 8);
  const sizes = largeSizes(directory.subarray(nameEnd, extraEnd), [
    directory.readUInt32LE(at + 24),
    directory.readUInt32LE(at + 20),
    directory.readUInt32LE(at + 42),
  ]);
  const [sizeBytes = 0, packedBytes = 0, offset = 0] = sizes;
  const mode = directory.readUInt32LE(at + 38);
  const madeBy = directory.readUInt16LE(at + 4) >>> 8;
  const kind = kindOf({ nameBytes, flags, mode, madeBy });
  const [method, crc] = [directory.readUInt16LE(at + 10), directory.readUInt32LE(at + 16)];
  return { nameBytes, flags, method, crc, packedBytes, sizeBytes, offset, kind };
}

/** Those of 32 bits that are all ones stand, in this order, in the extra field 1 (4.5.3). */
function largeSizes(extra: Buffer, told: readonly number[]): readonly number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    let next = 0;
    return told.map((value) => {
      if (value !== 0xff_ff_ff_ff || next + 8 > field.length) return value;
      next += 8;
      return large(field, next - 8);
    });
  }
  return told;
}

function kindOf(header: {
  readonly nameBytes: Buffer;
  readonly flags: number;
  readonly mode: number;
  readonly madeBy: number;
}): EntryKind {
  const { nameBytes, flags, mode, madeBy } = header;
  if ((flags & 1) !== 0) return 'encrypted file';
  const type = (mode >>> 16) & 0xf0_00;
  // Unix and macOS write the file's mode; a reparse point is a link of Windows.
  if (madeBy === UNIX || madeBy === MACOS) {
    const kind = UNIX_KINDS.get(type);
    if (kind !== undefined) return kind;
  } else if ((mode & 0x4_00) !== 0) return 'symbolic link';
  return nameBytes.at(-1) === 0x2f ? 'folder' : 'file';
}

const UNIX = 3;
const MACOS = 19;

/** Of st_mode, what is neither file nor folder: the name's slash tells those apart. */
const UNIX_KINDS: ReadonlyMap<number, EntryKind> = new Map([
  [0xa0_00, 'symbolic link'],
  [0x10_00, 'named pipe'],
  [0x20_00, 'device'],
  [0x60_00, 'device'],
  [0xc0_00, 'something unknown'],
]);

/** The directory tells it before any of them is read. */
function refuseTooMany(label: string, listed: readonly Listed[]): void {
  const files = listed.filter(
    ({ kind, nameBytes }) => kind !== 'folder' && !isLeftOut(nameBytes.toString()),
  );
  if (files.length > MANIFEST_FILES_MAX)
    throw archiveError(label, `more than ${MANIFEST_FILES_MAX} files`);
}

/** David Fifield's zip bomb has thousands of entries that share the same bytes. */
function refuseOverlaps(label: string, listed: readonly Listed[]): void {
  let end = 0;
  let before: Listed | undefined;
  for (const each of listed.toSorted((a, b) => a.offset - b.offset)) {
    if (each.offset < end) {
      const [one, other] = [before, each].map((it) => JSON.stringify(String(it?.nameBytes)));
      throw archiveError(label, `${one} and ${other} lie in the same bytes; pack it again`);
    }
    end = each.offset + LOCAL_BYTES + each.nameBytes.length + each.packedBytes;
    before = each;
  }
}

async function readRange(zip: Zip, start: number, length: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.files.stream(zip.path, { start, end: start + length }))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** 64 bits, of which no file has more than 53; what is more ends behind every file. */
function large(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(value);
}
