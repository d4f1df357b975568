import { crc32, deflateRawSync } from 'node:zlib';

/** An entry as a hostile tool may write it. */
export interface TarEntry {
  readonly name: string | Buffer;
  readonly body?: string | Buffer;
  /** The type flag; left out: "0", a file. */
  readonly type?: string;
  /** What the header says; left out: what the body has. */
  readonly sizeBytes?: number;
  readonly badChecksum?: true;
  /** "ustar\0" and "00" unless it says otherwise. */
  readonly magic?: string;
}

export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
}

export function tarEntry(entry: TarEntry): Buffer {
  const body = Buffer.from(entry.body ?? '');
  const header = Buffer.alloc(512);
  Buffer.from(entry.name).copy(header, 0, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${(entry.sizeBytes ?? body.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(entry.type ?? '0', 156);
  header.write(entry.magic ?? 'ustar\u000000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, entry.badChecksum === true ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** A pax header before an entry. */
export function paxHeader(records: Readonly<Record<string, string>>): TarEntry {
  const text = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    const length = [1, 2, 3, 4, 5].find((digits) => String(rest + digits).length === digits) ?? 0;
    return `${rest + length} ${key}=${value}\n`;
  });
  return { name: 'pax', type: 'x', body: text.join('') };
}

export interface ZipEntry {
  readonly name: string | Buffer;
  readonly body?: string | Buffer;
  /** In the entry's own header; left out: as in the directory. */
  readonly localName?: string;
  /** 0 stored, 8 deflated. */
  readonly method?: number;
  /** The file's mode on Unix. */
  readonly mode?: number;
  readonly flags?: number;
  /** What the directory says of the unpacked size. */
  readonly sizeBytes?: number;
  readonly crc?: number;
  /** Put into the directory, where the entry before is. */
  readonly overlaps?: true;
}

export function zipOf(entries: readonly ZipEntry[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let last = 0;
  let before: ZipEntry | undefined;
  for (const entry of entries) {
    const packed = packedOf(entry);
    if (entry.overlaps !== true) {
      const local = localHeader(entry, packed);
      parts.push(local, packed);
      last = offset;
      offset += local.length + packed.length;
    }
    const isSame = entry.overlaps === true && entry === before;
    directory.push((isSame ? directory.at(-1) : undefined) ?? centralHeader(entry, packed, last));
    before = entry;
  }
  const central = Buffer.concat(directory);
  const large = entries.length < 0xff_ff ? [] : largeEnd(entries.length, central.length, offset);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06_05_4b_50, 0);
  const count = Math.min(entries.length, 0xff_ff);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, central, ...large, end, Buffer.from(comment)]);
}

/** Zip64's own end record and its locator (APPNOTE.TXT 4.3.14, 4.3.15). */
function largeEnd(entries: number, centralBytes: number, offset: number): readonly Buffer[] {
  const [end, locator] = [Buffer.alloc(56), Buffer.alloc(20)];
  end.writeUInt32LE(0x06_06_4b_50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(entries), 24);
  end.writeBigUInt64LE(BigInt(entries), 32);
  end.writeBigUInt64LE(BigInt(centralBytes), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  locator.writeUInt32LE(0x07_06_4b_50, 0);
  locator.writeBigUInt64LE(BigInt(offset + centralBytes), 8);
  locator.writeUInt32LE(1, 16);
  return [end, locator];
}

function packedOf({ body = '', method = 8 }: ZipEntry): Buffer {
  return method === 8 ? deflateRawSync(Buffer.from(body)) : Buffer.from(body);
}

function localHeader(entry: ZipEntry, packed: Buffer): Buffer {
  const name = Buffer.from(entry.localName ?? entry.name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04_03_4b_50, 0);
  header.writeUInt16LE(entry.method ?? 8, 8);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

function centralHeader(entry: ZipEntry, packed: Buffer, offset: number): Buffer {
  const [name, body] = [Buffer.from(entry.name), Buffer.from(entry.body ?? '')];
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02_01_4b_50, 0);
  // Made by Unix.
  header.writeUInt16LE(0x03_14, 4);
  header.writeUInt16LE(entry.flags ?? 0, 8);
  header.writeUInt16LE(entry.method ?? 8, 10);
  header.writeUInt32LE(entry.crc ?? crc32(body), 16);
  header.writeUInt32LE(packed.length, 20);
  header.writeUInt32LE(entry.sizeBytes ?? body.length, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(((entry.mode ?? 0o100_644) << 16) >>> 0, 38);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, name]);
}
