import type { Entry } from '../zone/zone.ts';
import { CLASS_CHAOS, CLASS_IN } from './codes.ts';
import {
  EdnsOption,
  formatEdns,
  formatOption,
  OPT_BYTES,
  UDP_SIZE_BYTES,
  UDP_SIZE_BYTES_MIN,
} from './edns.ts';
import { type Envelope, HEADER_BYTES } from './message.ts';
import { type NameKey, parentOf, ROOT, readName } from './name.ts';
import type { Reply } from './reply.ts';

export const TCP_SIZE_BYTES_MAX = 65_535;
/** Code and length of an option. */
const OPTION_BYTES = 4;

/** The most bytes that this client takes over this transport (INV-25). */
export function replySizeMax(envelope: Envelope, transport: 'udp' | 'tcp' | 'tls'): number {
  if (transport !== 'udp') return TCP_SIZE_BYTES_MAX;
  const asked = envelope.edns?.udpSizeBytes ?? UDP_SIZE_BYTES_MIN;
  return Math.min(UDP_SIZE_BYTES, Math.max(UDP_SIZE_BYTES_MIN, asked));
}

/** How a reply is written. */
export interface WriteOptions {
  readonly sizeMax: number;
  /** Of the OPT, if there is one. */
  readonly options: readonly Uint8Array[];
  /** Pad to a multiple of this, if there is an OPT (RFC 7830); undefined: no padding. */
  readonly blockBytes: number | undefined;
  /** Of the question: only CHAOS makes records of another class than IN. */
  readonly klass: number;
}

/**
 * Encodes a reply in at most `sizeMax` bytes. If what must be said does not fit, only the question
 * is left and TC says so: half an rrset would be taken for the whole by careless readers.
 */
export function writeReply(
  envelope: Envelope,
  reply: Reply,
  { sizeMax, options, blockBytes, klass }: WriteOptions,
): Buffer {
  const { edns, question } = envelope;
  const optBytes = edns === undefined ? 0 : OPT_BYTES + lengthOf(options);
  const paddingBytes = edns === undefined || blockBytes === undefined ? 0 : OPTION_BYTES;
  const contentMax = sizeMax - optBytes - paddingBytes;
  const recordClass = klass === CLASS_CHAOS ? CLASS_CHAOS : CLASS_IN;
  const writer = new SectionWriter(question, { sizeMax: contentMax, recordClass });
  const answers = writer.writeAll(reply.answer);
  const authorities = writer.writeAll(reply.authority);
  const glue = writer.writeAll(reply.glue);
  const truncated = answers === undefined || authorities === undefined || glue === undefined;
  if (truncated) writer.clear();
  const extra = truncated ? 0 : writer.writeWhatFits(reply.additional);
  const padding = paddingOption(writer.lengthBytes + optBytes, { sizeMax, blockBytes });
  const { rcode } = reply;
  const opt = edns && formatEdns(edns, { rcode, options: [...options, ...padding] });
  const message = writer.finish(opt);
  message.writeUInt16BE(envelope.id, 0);
  message.writeUInt16BE(flags(envelope, reply, truncated), 2);
  message.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
  message.writeUInt16BE(truncated ? 0 : answers, 6);
  message.writeUInt16BE(truncated ? 0 : authorities, 8);
  message.writeUInt16BE((truncated ? 0 : glue + extra) + (opt === undefined ? 0 : 1), 10);
  return message;
}

/** What brings a message of this length to a multiple of the block, within `sizeMax` (RFC 7830). */
function paddingOption(
  lengthBytes: number,
  { sizeMax, blockBytes }: Pick<WriteOptions, 'sizeMax' | 'blockBytes'>,
): readonly Buffer[] {
  if (blockBytes === undefined) return [];
  const least = lengthBytes + OPTION_BYTES;
  const padded = Math.min(sizeMax, Math.ceil(least / blockBytes) * blockBytes);
  return [formatOption(EdnsOption.PADDING, Buffer.alloc(padded - least))];
}

function lengthOf(options: readonly Uint8Array[]): number {
  return options.reduce((sum, { length }) => sum + length, 0);
}

function flags(envelope: Envelope, reply: Reply, truncated: boolean): number {
  const response = 0x8000;
  return (
    response |
    (envelope.opcode << 11) |
    (reply.authoritative ? 0x0400 : 0) |
    (truncated ? 0x0200 : 0) |
    (envelope.recursionDesired ? 0x0100 : 0) |
    (reply.rcode & 0xf)
  );
}

/** Appends records after the question, with name compression (RFC 1035 §4.1.4). */
class SectionWriter {
  #buffer: Buffer;
  readonly #sizeMax: number;
  readonly #recordClass: number;
  readonly #start: number;
  /** Where each name, and each ancestor of it, was first written. */
  readonly #offsets: Map<NameKey, number> = new Map();
  #end: number;
  #overflown = false;

  constructor(
    question: Buffer,
    { sizeMax, recordClass }: { readonly sizeMax: number; readonly recordClass: number },
  ) {
    this.#buffer = Buffer.allocUnsafe(UDP_SIZE_BYTES);
    this.#sizeMax = sizeMax;
    this.#recordClass = recordClass;
    this.#buffer.set(question, HEADER_BYTES);
    this.#start = HEADER_BYTES + question.length;
    this.#end = this.#start;
    if (question.length > 0) this.#remember(readName(question, 0)?.key ?? ROOT, HEADER_BYTES);
  }

  /** So far, the header among it. */
  get lengthBytes(): number {
    return this.#end;
  }

  /** How many records were written; undefined: they did not fit. */
  writeAll(entries: readonly Entry[]): number | undefined {
    let count = 0;
    for (const entry of entries) {
      this.#writeEntry(entry);
      count += entry.rrset.records.length;
    }
    return this.#overflown ? undefined : count;
  }

  /** Leaves out each rrset that does not fit whole; how many records were written. */
  writeWhatFits(entries: readonly Entry[]): number {
    let count = 0;
    for (const entry of entries) {
      const before = this.#end;
      this.#writeEntry(entry);
      if (this.#overflown) this.#rewind(before);
      else count += entry.rrset.records.length;
    }
    return count;
  }

  /** Back to the question alone. */
  clear(): void {
    this.#rewind(this.#start);
  }

  /** The message, its header still to be filled in. */
  finish(opt: Buffer | undefined): Buffer {
    const end = this.#end + (opt?.length ?? 0);
    this.#grow(end);
    if (opt !== undefined) this.#buffer.set(opt, this.#end);
    return this.#buffer.subarray(0, end);
  }

  #rewind(end: number): void {
    this.#end = end;
    this.#overflown = false;
    for (const [name, offset] of this.#offsets) if (offset >= end) this.#offsets.delete(name);
  }

  #writeEntry({ owner, rrset }: Entry): void {
    for (const record of rrset.records) {
      this.#writeName(owner);
      if (!this.#reserve(10)) return;
      const fields = this.#end - 10;
      this.#buffer.writeUInt16BE(rrset.type, fields);
      this.#buffer.writeUInt16BE(this.#recordClass, fields + 2);
      this.#buffer.writeUInt32BE(rrset.ttlS, fields + 4);
      for (const part of record.parts) {
        if (typeof part === 'string') this.#writeName(part);
        else if (this.#reserve(part.length)) this.#buffer.set(part, this.#end - part.length);
      }
      if (this.#overflown) return;
      this.#buffer.writeUInt16BE(this.#end - fields - 10, fields + 8);
    }
  }

  #writeName(key: NameKey): void {
    let known = key;
    while (known !== ROOT && !this.#offsets.has(known)) known = parentOf(known);
    const pointer = this.#offsets.get(known);
    const labels = key.slice(0, key.length - known.length);
    const start = this.#end;
    if (!this.#reserve(labels.length + (pointer === undefined ? 1 : 2))) return;
    this.#buffer.write(labels, start, 'latin1');
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

  #reserve(bytes: number): boolean {
    if (this.#end + bytes > this.#sizeMax) this.#overflown = true;
    if (this.#overflown) return false;
    this.#end += bytes;
    this.#grow(this.#end);
    return true;
  }

  /** Only what goes over TCP is ever larger than the first buffer. */
  #grow(end: number): void {
    if (end <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#buffer.length));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
