import type { EntryKind } from '../../runtime/content/content-check.ts';
import { printable } from '../../runtime/printable.ts';
import { type Archive, type ArchiveEntry, archiveError, nameOf } from './archive.ts';
import { ByteReader, CutShortError } from './byte-reader.ts';

const BLOCK_BYTES = 512;
/** Of one extended header: names of 1024 bytes need a hundredth of it. */
const EXTENDED_BYTES_MAX = 1024 * 1024;

/**
 * The entries of a tar file (POSIX.1-2017 pax and ustar, and GNU's long names), in their order.
 *
 * Guarantees: one chunk and one extended header are in memory. A header is believed only if its
 * checksum fits.
 * Errors: CommandError for what is no tar file, is cut short or damaged, naming the entry.
 */
export async function* tarEntries(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ArchiveEntry> {
  const reader = new ByteReader(chunks);
  let extended: Extended = {};
  let before = 'its first entry';
  try {
    for (;;) {
      const block = await reader.atMost(BLOCK_BYTES);
      // Two blocks of zeros end it; so does the end, for some tools leave them out.
      if (block.byteLength === 0 || isZero(block)) {
        // What is packed has its checksum at the end.
        for await (const _ of reader.rest()) continue;
        return;
      }
      const header = parseHeader(block);
      if (header === undefined)
        throw archiveError(label, `it is damaged after ${printable(before)}`);
      if (header.type in EXTENDED) {
        await takeExtended(reader, header, { label, extended });
        continue;
      }
      const name = 'path' in extended ? extended.path : header.name;
      const sizeBytes = extended.sizeBytes ?? header.sizeBytes;
      const kind = extended.isSparse === true ? 'sparse file' : kindOf(header.type, name);
      extended = {};
      before = name ?? before;
      yield* oneEntry(reader, { name, kind, sizeBytes }, label);
    }
  } catch (error) {
    throw told(error, { label, before });
  } finally {
    await reader.close();
  }
}

/** A tar of which `open` gives the bytes, unpacked. */
export function tarArchive(label: string, open: () => AsyncIterable<Uint8Array>): Archive {
  return { label, atOnce: 'one', entries: () => tarEntries(label, open()) };
}

/** What an extended header says of the entry that follows it. */
interface Extended {
  path?: string | undefined;
  sizeBytes?: number;
  isSparse?: boolean;
}

interface Header {
  readonly name: string | undefined;
  readonly sizeBytes: number;
  readonly type: string;
}

/** Types of headers that speak of the entry after them. */
const EXTENDED: Readonly<Record<string, 'pax' | 'name' | 'skip'>> = {
  x: 'pax',
  g: 'skip',
  L: 'name',
  K: 'skip',
};

async function* oneEntry(
  reader: ByteReader,
  entry: Omit<ArchiveEntry, 'chunks'>,
  label: string,
): AsyncGenerator<ArchiveEntry> {
  // Of links and folders the size says nothing, or how much they point to.
  const isEmpty = entry.kind !== 'file' && entry.kind !== 'sparse file';
  const storedBytes = isEmpty ? 0 : entry.sizeBytes;
  const body = bodyOf(reader, storedBytes, { label, before: entry.name ?? 'an entry' });
  yield { ...entry, sizeBytes: storedBytes, chunks: () => unended(body) };
  for await (const _ of body) {
    // What nobody read is passed over.
  }
  for await (const _ of reader.stream(padding(storedBytes))) {
    // Up to the next block.
  }
}

async function* bodyOf(
  reader: ByteReader,
  sizeBytes: number,
  place: { readonly label: string; readonly before: string },
): AsyncGenerator<Uint8Array> {
  try {
    yield* reader.stream(sizeBytes);
  } catch (error) {
    throw told(error, place);
  }
}

function told(
  error: unknown,
  { label, before }: { readonly label: string; readonly before: string },
): unknown {
  if (!(error instanceof CutShortError)) return error;
  return archiveError(label, `it ends in the middle of ${printable(before)}; pack it again`, error);
}

/** Whoever stops in the middle shall not end the stream below, which is read on from there. */
function unended(body: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => body.next() }) };
}

async function takeExtended(
  reader: ByteReader,
  { type, sizeBytes }: Header,
  { label, extended }: { readonly label: string; readonly extended: Extended },
): Promise<void> {
  if (sizeBytes > EXTENDED_BYTES_MAX)
    throw archiveError(label, `it has an extended header of ${sizeBytes} bytes`);
  const bytes = Buffer.from(await reader.atMost(sizeBytes));
  if (bytes.byteLength < sizeBytes) throw new CutShortError('in an extended header');
  await reader.atMost(padding(sizeBytes));
  const use = EXTENDED[type];
  if (use === 'name') extended.path = nameOf(untilNul(bytes));
  if (use !== 'pax') return;
  const records = paxRecords(bytes);
  if (records === undefined) throw archiveError(label, 'it has a damaged extended header');
  for (const [key, value] of records) {
    if (key === 'path') extended.path = nameOf(value);
    if (key === 'size') extended.sizeBytes = decimal(value) ?? Number.POSITIVE_INFINITY;
    if (key.startsWith('GNU.sparse.')) extended.isSparse = true;
  }
}

/** Records of "<length> <key>=<value>\n", the length in bytes and of all of it. */
function paxRecords(bytes: Buffer): readonly (readonly [string, Buffer])[] | undefined {
  const records: (readonly [string, Buffer])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? undefined : decimal(bytes.subarray(at, space));
    if (length === undefined || length <= space - at || at + length > bytes.length)
      return undefined;
    const equals = bytes.indexOf(0x3d, space);
    const end = at + length - 1;
    if (equals < 0 || equals > end || bytes[end] !== 0x0a) return undefined;
    records.push([bytes.toString('latin1', space + 1, equals), bytes.subarray(equals + 1, end)]);
    at += length;
  }
  return records;
}

function parseHeader(block: Uint8Array): Header | undefined {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.length < BLOCK_BYTES || octal(bytes.subarray(148, 156)) !== checksum(bytes))
    return undefined;
  const sizeBytes = numeric(bytes.subarray(124, 136));
  if (sizeBytes === undefined) return undefined;
  const own = untilNul(bytes.subarray(0, 100));
  // Only POSIX's magic: where GNU's header has its times, there is no prefix.
  const isUstar = bytes.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? untilNul(bytes.subarray(345, 500)) : Buffer.alloc(0);
  const whole = prefix.length === 0 ? own : Buffer.concat([prefix, Buffer.from('/'), own]);
  return { name: nameOf(whole), sizeBytes, type: String.fromCharCode(bytes[156] ?? 0) };
}

function kindOf(type: string, name: string | undefined): EntryKind {
  // Before POSIX a folder was a file whose name ends in a slash.
  if (type === '0' || type === '\0' || type === '7')
    return name?.endsWith('/') === true ? 'folder' : 'file';
  return KINDS[type] ?? 'something unknown';
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  1: 'hard link',
  2: 'symbolic link',
  3: 'device',
  4: 'device',
  5: 'folder',
  6: 'named pipe',
  S: 'sparse file',
};

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1)
    sum += at >= 148 && at < 156 ? 0x20 : (bytes[at] ?? 0);
  return sum;
}

/** Octal digits, or GNU's big-endian binary where the first bit is set. */
function numeric(field: Buffer): number | undefined {
  if (field[0] !== 0x80) return octal(field);
  const value = field.subarray(4).readBigUInt64BE();
  return field.subarray(1, 4).every((byte) => byte === 0) && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : undefined;
}

function octal(field: Buffer): number | undefined {
  const digits = untilNul(field).toString('latin1').trim();
  if (digits === '') return 0;
  return /^[0-7]{1,12}$/u.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function decimal(bytes: Buffer): number | undefined {
  const digits = bytes.toString('latin1');
  return /^[0-9]{1,15}$/u.test(digits) ? Number(digits) : undefined;
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function padding(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}
