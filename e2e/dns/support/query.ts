import { TYPES } from './wire.ts';

export const HEADER_BYTES = 12;
export const RD = 0x0100;

export interface QueryParts {
  readonly flags?: number;
  readonly klass?: number;
  readonly edns?: Buffer | undefined;
}

/** A query with one question; the name as text without escapes, with or without a final dot. */
export function questionBytes(
  name: string,
  type: string | number,
  { flags = 0, klass = 1, edns }: QueryParts = {},
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(edns === undefined ? 0 : 1, 10);
  const fixed = Buffer.alloc(4);
  fixed.writeUInt16BE(typeof type === 'number' ? type : (TYPES[type] ?? 0), 0);
  fixed.writeUInt16BE(klass, 2);
  return Buffer.concat([header, nameBytes(name), fixed, edns ?? Buffer.alloc(0)]);
}

/** Stands for a dot within a label. */
export const DOT = '\u0100';

/** Any other character is the byte of its code. */
export function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const written = labels.map((label) => {
    const bytes = [...label].map((char) => (char === DOT ? 46 : char.charCodeAt(0)));
    return Buffer.of(bytes.length, ...bytes);
  });
  return Buffer.concat([...written, Buffer.of(0)]);
}

/** A name of a zone file without its escapes (RFC 1035 §5.1). */
export function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3}|.)/g, (_, escape: string) => {
    const char = escape.length === 3 ? String.fromCharCode(Number(escape)) : escape;
    return char === '.' ? DOT : char;
  });
}

export interface OptParts {
  readonly udpSizeBytes?: number;
  readonly version?: number;
  readonly flags?: number;
  readonly options?: readonly { readonly code: number; readonly data: Buffer }[];
}

export const DO = 0x8000;

/** An OPT record (RFC 6891 §6.1.2). */
export function optBytes({
  udpSizeBytes = 1232,
  version = 0,
  flags = 0,
  options = [],
}: OptParts = {}): Buffer {
  const data = Buffer.concat(
    options.map((option) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(option.code, 0);
      head.writeUInt16BE(option.data.length, 2);
      return Buffer.concat([head, option.data]);
    }),
  );
  const fixed = Buffer.alloc(11);
  fixed.writeUInt16BE(41, 1);
  fixed.writeUInt16BE(udpSizeBytes, 3);
  fixed[6] = version;
  fixed.writeUInt16BE(flags, 7);
  fixed.writeUInt16BE(data.length, 9);
  return Buffer.concat([fixed, data]);
}
