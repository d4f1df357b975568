/**
 * The text of Huffman-coded bytes `start` to `end` (RFC 7541 §5.2), a character for each byte;
 * undefined: they are no such code. Pure; never throws.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  const endBit = end * 8;
  for (let bit = start * 8; bit < endBit; ) {
    const at = bit >> 3;
    const pair = ((bytes[at] ?? 0) << 8) | (at + 1 < end ? (bytes[at + 1] ?? 0) : 0xff);
    const short = SHORT_CODES[(pair >> (8 - (bit & 7))) & 0xff] ?? 0;
    if (short !== 0) {
      bit += short >> 8;
      if (bit > endBit) return undefined;
      text += CHARACTERS[short & 0xff];
      continue;
    }
    if (endBit - bit < 8) return isPadding(bytes, bit, endBit) ? text : undefined;
    const long = decodeLong(bytes, bit, endBit);
    if (long === undefined) return undefined;
    bit += long.bits;
    text += CHARACTERS[long.symbol];
  }
  return text;
}

const EOS = 256;
const BITS_MAX = 30;

/** How many bits each symbol has, EOS last: with that the code is given, for it is canonical. */
// biome-ignore format: sixteen symbols a line, as in RFC 7541, Appendix B.
const BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

const CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, code) =>
  String.fromCharCode(code),
);

interface Length {
  /** The first code of this length, as a number. */
  readonly firstCode: number;
  /** In the order of their codes. */
  readonly symbols: readonly number[];
}

/** By the number of bits. Codes of one length follow one another, in the order of their symbols. */
const LENGTHS: readonly Length[] = canonicalLengths();
/** By the next eight bits: bits and symbol in one number; 0: the code is longer than that. */
const SHORT_CODES: Uint16Array = shortCodes();

function canonicalLengths(): readonly Length[] {
  const lengths: Length[] = [];
  let code = 0;
  for (let bits = 0; bits <= BITS_MAX; bits += 1) {
    const symbols = [...BITS.keys()].filter((symbol) => BITS[symbol] === bits);
    lengths.push({ firstCode: code, symbols });
    code = (code + symbols.length) * 2;
  }
  return lengths;
}

function shortCodes(): Uint16Array {
  const table = new Uint16Array(256);
  for (let bits = 1; bits <= 8; bits += 1) {
    const { firstCode = 0, symbols = [] } = LENGTHS[bits] ?? {};
    for (const [index, symbol] of symbols.entries()) {
      const first = (firstCode + index) << (8 - bits);
      table.fill((bits << 8) | symbol, first, first + (1 << (8 - bits)));
    }
  }
  return table;
}

/** One symbol whose code is longer than eight bits; undefined: EOS, or cut off. */
function decodeLong(
  bytes: Uint8Array,
  startBit: number,
  endBit: number,
): { readonly symbol: number; readonly bits: number } | undefined {
  let code = 0;
  for (let bits = 1; bits <= BITS_MAX; bits += 1) {
    const bit = startBit + bits - 1;
    if (bit >= endBit) {
      return undefined;
    }
    code = code * 2 + (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    const { firstCode = 0, symbols = [] } = LENGTHS[bits] ?? {};
    const symbol = symbols[code - firstCode];
    if (bits > 8 && symbol !== undefined) return symbol === EOS ? undefined : { symbol, bits };
  }
  return undefined;
}

/** The rest of the last byte is filled with ones, fewer than eight (RFC 7541 §5.2). */
function isPadding(bytes: Uint8Array, bit: number, endBit: number): boolean {
  const left = endBit - bit;
  const mask = (1 << left) - 1;
  return ((bytes[(endBit >> 3) - 1] ?? 0) & mask) === mask;
}
