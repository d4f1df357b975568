/**
 * Reads values of a section of a MaxMind DB that begins at `base` (specification 2.0, "Output Data
 * Section"): of all fields, or of those in `fields` alone, for most of what records say is of no use
 * here. Throws a `RangeError` where a value is damaged.
 */
export class MmdbValues {
  readonly #file: Buffer;
  readonly #base: number;
  readonly #fields: ReadonlySet<string> | undefined;
  /** What pointers lead to is kept, by where it lies: the same few texts, again and again. */
  readonly #texts = new Map<number, string>();
  /** By two bytes. */
  readonly #pairs = new Map<number, string>();
  /** By where the name of a field lies. */
  readonly #names = new Map<number, string>();
  #at = 0;
  #valuesLeft = 0;

  constructor(
    file: Buffer,
    { base, fields }: { readonly base: number; readonly fields?: ReadonlySet<string> | undefined },
  ) {
    this.#file = file;
    this.#base = base;
    this.#fields = fields;
  }

  value(offset: number): unknown {
    this.#at = this.#base + offset;
    this.#valuesLeft = VALUES_MAX;
    return this.#next(0);
  }

  #next(depth: number): unknown {
    const control = this.#begin(depth);
    const type = this.#typeOf(control);
    if (type === TYPE.pointer) return this.#pointed(control, depth);
    const size = this.#size(control & 31);
    switch (type) {
      case TYPE.map:
        return this.#map(size, depth);
      case TYPE.array:
        return Array.from({ length: Math.min(size, VALUES_MAX) }, () => this.#next(depth + 1));
      case TYPE.text:
        return this.#text(size);
      case TYPE.double:
        return this.#file.readDoubleBE(this.#skip(8));
      case TYPE.float:
        return this.#file.readFloatBE(this.#skip(4));
      case TYPE.int32:
        return this.#number(size) | 0;
      case TYPE.boolean:
        return size !== 0;
      case TYPE.uint16:
      case TYPE.uint32:
        return this.#number(size);
      case TYPE.bytes:
      case TYPE.uint64:
      case TYPE.uint128:
        return void this.#skip(size);
      default:
        throw new RangeError(`a record has a value of type ${type}`);
    }
  }

  /** Passes over a value, and makes nothing of it. */
  #pass(depth: number): void {
    const control = this.#begin(depth);
    const type = this.#typeOf(control);
    if (type === TYPE.pointer) return void this.#skip(((control >> 3) & 3) + 1);
    const size = this.#size(control & 31);
    switch (type) {
      case TYPE.map:
      case TYPE.array:
        for (let left = type === TYPE.map ? 2 * size : size; left > 0; left -= 1)
          this.#pass(depth + 1);
        return;
      case TYPE.boolean:
        return;
      default:
        this.#skip(size);
    }
  }

  /** The control byte of a value. */
  #begin(depth: number): number {
    this.#valuesLeft -= 1;
    if (depth > DEPTH_MAX || this.#valuesLeft < 0) throw new RangeError('a record has no end');
    return this.#byte();
  }

  #typeOf(control: number): number {
    return control >> 5 === 0 ? this.#byte() + 7 : control >> 5;
  }

  #text(size: number): string {
    const at = this.#skip(size);
    if (size !== 2) return this.#file.toString('utf8', at, at + size);
    // Codes of countries, again and again.
    const pair = this.#file.readUInt16BE(at);
    const known = this.#pairs.get(pair);
    if (known !== undefined) return known;
    const text = this.#file.toString('utf8', at, at + size);
    this.#pairs.set(pair, text);
    return text;
  }

  #map(size: number, depth: number): Readonly<Record<string, unknown>> {
    const map: Record<string, unknown> = {};
    for (let entry = 0; entry < size; entry += 1) {
      const key = this.#key(depth + 1);
      if (key === undefined) this.#pass(depth + 1);
      else map[key] = this.#next(depth + 1);
    }
    return map;
  }

  /** Undefined: nobody reads that field. */
  #key(depth: number): string | undefined {
    const control = this.#begin(depth);
    if (control >> 5 !== TYPE.pointer) {
      this.#at -= 1;
      return this.#wanted(this.#next(depth));
    }
    const at = this.#base + this.#pointer(control);
    const known = this.#names.get(at);
    if (known !== undefined) return known === NOT_WANTED ? undefined : known;
    const behind = this.#at;
    this.#at = at;
    const name = this.#wanted(this.#next(depth + 1));
    this.#at = behind;
    this.#keep(this.#names, at, name ?? NOT_WANTED);
    return name;
  }

  #wanted(name: unknown): string | undefined {
    const text = String(name);
    if (text === '__proto__') return undefined;
    return this.#fields?.has(text) === false ? undefined : text;
  }

  #pointed(control: number, depth: number): unknown {
    const at = this.#base + this.#pointer(control);
    const known = this.#texts.get(at);
    if (known !== undefined) return known;
    const behind = this.#at;
    this.#at = at;
    const value = this.#next(depth + 1);
    this.#at = behind;
    if (typeof value === 'string') this.#keep(this.#texts, at, value);
    return value;
  }

  #keep(texts: Map<number, string>, at: number, text: string): void {
    if (text.length <= TEXT_LENGTH_MAX && texts.size < TEXTS_MAX) texts.set(at, text);
  }

  /** Where it points, from the base on. */
  #pointer(control: number): number {
    const length = (control >> 3) & 3;
    if (length === 3) return this.#number(4);
    const high = control & 7;
    return high * 2 ** (8 * (length + 1)) + this.#number(length + 1) + (POINTER_BASE[length] ?? 0);
  }

  #size(small: number): number {
    if (small < 29) return small;
    const length = small - 28;
    return this.#number(length) + (SIZE_BASE[length] ?? 0);
  }

  /** Big-endian, without a sign, of 0 to 4 bytes. */
  #number(length: number): number {
    if (length > 4) throw new RangeError('a record has a number that is too long');
    const at = this.#skip(length);
    let value = 0;
    for (let index = 0; index < length; index += 1)
      value = value * 256 + (this.#file[at + index] ?? 0);
    return value;
  }

  #byte(): number {
    const value = this.#file[this.#at];
    if (value === undefined) throw new RangeError('a record is cut off');
    this.#at += 1;
    return value;
  }

  /** Where the bytes lie that are passed over. */
  #skip(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    if (!(at >= 0 && this.#at <= this.#file.length)) throw new RangeError('a record is cut off');
    return at;
  }
}

const POINTER_BASE = [0, 2048, 526_336];
const SIZE_BASE = [0, 29, 285, 65_821];

const TYPE = {
  ...{ pointer: 1, text: 2, double: 3, bytes: 4, uint16: 5, uint32: 6, map: 7, int32: 8 },
  ...{ uint64: 9, uint128: 10, array: 11, boolean: 14, float: 15 },
} as const;
/** Records are a few levels deep; a damaged one might turn in a circle. */
const DEPTH_MAX = 32;
/** Of one record, counted with those within: a damaged one might say that it has millions. */
const VALUES_MAX = 10_000;

/** Of those that are kept, and of letters of each. */
const TEXTS_MAX = 4096;
const TEXT_LENGTH_MAX = 32;
/** In place of the name of a field that nobody reads. */
const NOT_WANTED = '';
