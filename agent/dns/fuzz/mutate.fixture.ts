/** Uniform in [0, limit). */
export type Below = (limit: number) => number;

export interface MutateInput {
  readonly corpus: readonly Buffer[];
  /** What parsers look for. */
  readonly words: readonly Buffer[];
  readonly bytesMax: number;
}

/** What was found last leads farthest: half of the inputs are made from one of these. */
const NEWEST = 8;

/** Some input of the corpus, changed in a few places. */
export function mutate({ corpus, words, bytesMax }: MutateInput, below: Below): Buffer {
  const pick = (): Buffer => {
    const among = below(2) === 0 ? Math.min(NEWEST, corpus.length) : corpus.length;
    return corpus[corpus.length - 1 - below(among)] ?? Buffer.alloc(0);
  };
  let bytes: Buffer = Buffer.from(pick());
  for (let count = 1 + below(4); count > 0; count -= 1) {
    const change = CHANGES[below(CHANGES.length)] ?? flip;
    bytes = change(bytes, { below, other: pick(), word: words[below(words.length)] });
  }
  return bytes.subarray(0, bytesMax);
}

interface Means {
  readonly below: Below;
  readonly other: Buffer;
  readonly word: Buffer | undefined;
}

type Change = (bytes: Buffer, means: Means) => Buffer;

const TELLING_BYTES = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff];

const flip: Change = (bytes, { below }) => set(bytes, below, (byte) => byte ^ (1 << below(8)));
const tell: Change = (bytes, { below }) =>
  set(bytes, below, () => TELLING_BYTES[below(TELLING_BYTES.length)] ?? 0);
const draw: Change = (bytes, { below }) => set(bytes, below, () => below(256));
const nudge: Change = (bytes, { below }) => set(bytes, below, (byte) => byte + below(9) - 4);
const cut: Change = (bytes, { below }) => bytes.subarray(0, below(bytes.length + 1));

const remove: Change = (bytes, { below }) => {
  const at = below(bytes.length + 1);
  return replace(bytes, { at, length: below(Math.min(16, bytes.length - at) + 1) });
};
const insertWord: Change = (bytes, { below, word }) =>
  replace(bytes, { at: below(bytes.length + 1), length: 0, with: word });
const insertByte: Change = (bytes, { below }) =>
  replace(bytes, { at: below(bytes.length + 1), length: 0, with: Buffer.of(below(256)) });
const overwriteWord: Change = (bytes, { below, word }) =>
  replace(bytes, { at: below(bytes.length + 1), length: word?.length ?? 0, with: word });
const repeat: Change = (bytes, { below }) => {
  const at = below(bytes.length + 1);
  const piece = bytes.subarray(at, at + 1 + below(32));
  const pieces = Array<Buffer>(1 + below(below(8) === 0 ? 40 : 3)).fill(piece);
  return replace(bytes, { at, length: 0, with: Buffer.concat(pieces) });
};
/** The beginning of one and the end of another. */
const splice: Change = (bytes, { below, other }) =>
  Buffer.concat([
    bytes.subarray(0, below(bytes.length + 1)),
    other.subarray(below(other.length + 1)),
  ]);
/** One of the 16-bit numbers that say how many or how long. */
const count: Change = (bytes, { below }) => {
  if (bytes.length < 2) return bytes;
  const copy = Buffer.from(bytes);
  const at = below(3) === 0 ? 2 * below(6) : below(bytes.length - 1);
  if (at + 2 <= copy.length)
    copy.writeUInt16BE([0, 1, 2, 11, 0xffff, below(600)][below(6)] ?? 0, at);
  return copy;
};

const CHANGES: readonly Change[] = [
  flip,
  tell,
  draw,
  nudge,
  cut,
  remove,
  insertWord,
  insertByte,
  overwriteWord,
  repeat,
  splice,
  count,
];

function set(bytes: Buffer, below: Below, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return copy;
  const at = below(copy.length);
  copy[at] = change(copy[at] ?? 0) & 0xff;
  return copy;
}

function replace(
  bytes: Buffer,
  change: { readonly at: number; readonly length: number; readonly with?: Buffer | undefined },
): Buffer {
  const { at, length, with: piece = Buffer.alloc(0) } = change;
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]);
}
