import { CLASS_IN } from '../message/codes.ts';
import { EdnsOption, formatOption, OPT_BYTES } from '../message/edns.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { type NameKey, parentOf, ROOT } from '../message/name.ts';
import type { RecordData } from '../zone/rrset.ts';

/** Code and length of an option. */
const OPTION_BYTES = 4;

/** One record of a transfer. */
export interface TransferRecord {
  readonly owner: NameKey;
  readonly type: number;
  readonly ttlS: number;
  readonly data: RecordData;
}

export interface WriterOptions {
  readonly id: number;
  readonly flags: number;
  /** As it came; empty in all messages of a transfer but the first (RFC 5936 §2.2.1). */
  readonly question: Uint8Array;
  readonly questionName: NameKey;
  /** Whole records for the additional section. */
  readonly additional: readonly Uint8Array[];
  /** Left out: no padding. */
  readonly padding?: Padding | undefined;
  /** No more is added once the message is this long… */
  readonly wantedBytes: number;
  /** …and it is never longer than this. */
  readonly bytesMax: number;
}

/** That the length of a message tells little (RFC 7830, RFC 8467 §4.1). */
export interface Padding {
  /** To a multiple of this… */
  readonly blockBytes: number;
  /** …with so many bytes that are still to come behind it. */
  readonly signatureBytes: number;
}

/** Writes records into the answer section of one message, names compressed (RFC 1035 §4.1.4). */
export class MessageWriter {
  readonly #options: WriterOptions;
  readonly #additionalBytes: number;
  readonly #offsets: Map<NameKey, number> = new Map();
  #buffer: Buffer;
  #end: number;
  #count = 0;

  constructor(options: WriterOptions) {
    const { question, additional, wantedBytes } = options;
    this.#options = options;
    this.#additionalBytes = additional.reduce((sum, { length }) => sum + length, 0);
    this.#buffer = Buffer.allocUnsafe(Math.max(wantedBytes, HEADER_BYTES + question.length));
    this.#buffer.set(question, HEADER_BYTES);
    this.#end = HEADER_BYTES + question.length;
    if (question.length > 0) this.#remember(options.questionName, HEADER_BYTES);
  }

  get count(): number {
    return this.#count;
  }

  /** False: there is no room for it, and the message is as it was. */
  add({ owner, type, ttlS, data }: TransferRecord): boolean {
    const start = this.#end;
    this.#writeName(owner);
    const fields = this.#end;
    this.#reserve(10);
    this.#buffer.writeUInt16BE(type, fields);
    this.#buffer.writeUInt16BE(CLASS_IN, fields + 2);
    this.#buffer.writeUInt32BE(ttlS, fields + 4);
    for (const part of data.parts) {
      if (typeof part === 'string') this.#writeName(part);
      else this.#reserve(part.length).set(part, this.#end - part.length);
    }
    const rdataBytes = this.#end - fields - 10;
    const bytes = this.#end + this.#additionalBytes;
    const { bytesMax, wantedBytes } = this.#options;
    // The first record may need more than is wanted: it goes alone.
    if (rdataBytes > 0xffff || bytes > (this.#count === 0 ? bytesMax : wantedBytes)) {
      this.#rewind(start);
      return false;
    }
    this.#buffer.writeUInt16BE(rdataBytes, fields + 8);
    this.#count += 1;
    return true;
  }

  finish(): Buffer {
    const { id, flags, question } = this.#options;
    const additional = this.#padded();
    const header = this.#buffer;
    header.writeUInt16BE(id, 0);
    header.writeUInt16BE(flags, 2);
    header.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
    header.writeUInt16BE(this.#count, 6);
    header.writeUInt16BE(0, 8);
    header.writeUInt16BE(additional.length, 10);
    return Buffer.concat([this.#buffer.subarray(0, this.#end), ...additional]);
  }

  /** The OPT is the last of the additional records. */
  #padded(): readonly Uint8Array[] {
    const { additional, padding, bytesMax } = this.#options;
    const opt = additional.at(-1);
    if (padding === undefined || opt === undefined) return additional;
    const lengthBytes = this.#end + this.#additionalBytes;
    const least = lengthBytes + OPTION_BYTES + padding.signatureBytes;
    const wanted = Math.ceil(least / padding.blockBytes) * padding.blockBytes;
    const count = Math.min(wanted - least, bytesMax - lengthBytes - OPTION_BYTES);
    if (count < 0) return additional;
    const option = formatOption(EdnsOption.PADDING, Buffer.alloc(count));
    const padded = Buffer.concat([opt, option]);
    padded.writeUInt16BE(padded.length - OPT_BYTES, OPT_BYTES - 2);
    return [...additional.slice(0, -1), padded];
  }

  #rewind(end: number): void {
    this.#end = end;
    for (const [name, offset] of this.#offsets) if (offset >= end) this.#offsets.delete(name);
  }

  #writeName(key: NameKey): void {
    let known = key;
    while (known !== ROOT && !this.#offsets.has(known)) known = parentOf(known);
    const pointer = this.#offsets.get(known);
    const labels = key.slice(0, key.length - known.length);
    const start = this.#end;
    this.#reserve(labels.length + (pointer === undefined ? 1 : 2)).write(labels, start, 'latin1');
    if (pointer === undefined) this.#buffer[this.#end - 1] = 0;
    else this.#buffer.writeUInt16BE(0xc000 | pointer, this.#end - 2);
    this.#remember(key, start);
  }

  #remember(key: NameKey, start: number): void {
    for (let name = key; name !== ROOT && !this.#offsets.has(name); name = parentOf(name)) {
      const offset = start + key.length - name.length;
      // A pointer has 14 bits.
      if (offset <= 0x3fff) this.#offsets.set(name, offset);
    }
  }

  #reserve(bytes: number): Buffer {
    this.#end += bytes;
    if (this.#end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#end, 2 * this.#buffer.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}
