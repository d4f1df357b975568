import { createHmac } from 'node:crypto';
import packet from 'dns-packet';

/** A secondary for tests: asks for zones, signs and checks by RFC 8945, with no code of ours. */

export interface SharedKey {
  readonly name: string;
  readonly algorithm: string;
  readonly secret: Buffer;
}

export const KEY: SharedKey = {
  name: 'transfer.example',
  algorithm: 'hmac-sha256',
  secret: Buffer.from('0123456789abcdef0123456789abcdef'),
};

const AXFR = 252;
const IXFR = 251;
const TSIG = 250;

/** A query for a zone; `serial`: of the version that the secondary has. */
export function transferQuery(
  origin: string,
  given: { readonly serial?: number; readonly id?: number; readonly opt?: Buffer } = {},
): Buffer {
  const { serial, id = 4711, opt } = given;
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(serial === undefined ? 0 : 1, 8);
  header.writeUInt16BE(opt === undefined ? 0 : 1, 10);
  const type = serial === undefined ? AXFR : IXFR;
  const question = Buffer.concat([wire(origin), Buffer.of(0, type, 0, 1)]);
  const authority = serial === undefined ? Buffer.alloc(0) : soaRecord(serial);
  return Buffer.concat([header, question, authority, opt ?? Buffer.alloc(0)]);
}

/** An empty OPT that takes `bytes` over UDP. */
export function optRecord(bytes: number): Buffer {
  return Buffer.of(0, 0, 41, bytes >> 8, bytes & 0xff, 0, 0, 0, 0, 0, 0);
}

/** The name by a pointer to the question, as real secondaries write it. */
function soaRecord(serial: number): Buffer {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(serial, 0);
  const fixed = Buffer.of(0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22);
  return Buffer.concat([fixed, Buffer.of(0, 0), numbers]);
}

export interface SignOptions {
  readonly key?: SharedKey;
  readonly timeS: number;
  readonly fudgeS?: number;
  /** Cuts the MAC to this many bytes. */
  readonly macBytes?: number;
  readonly originalId?: number;
  /** For a reply: of what it answers. */
  readonly requestMac?: Buffer;
}

export interface SignedQuery {
  readonly bytes: Buffer;
  readonly mac: Buffer;
}

/** RFC 8945 §4.3: the message, then the variables of its TSIG. */
export function signed(message: Buffer, options: SignOptions): SignedQuery {
  const { key = KEY, timeS, fudgeS = 300, macBytes, originalId, requestMac } = options;
  const time = timerBytes(timeS, fudgeS);
  const before = requestMac === undefined ? [] : [uint16(requestMac.length), requestMac];
  const whole = hmac(key, [
    ...before,
    message,
    ...[wire(key.name), Buffer.of(0, 255, 0, 0, 0, 0), wire(key.algorithm), time],
    Buffer.of(0, 0, 0, 0),
  ]);
  const mac = macBytes === undefined ? whole : resized(whole, macBytes);
  const id = originalId ?? message.readUInt16BE(0);
  const rdata = Buffer.concat([
    ...[wire(key.algorithm), time, uint16(mac.length), mac],
    ...[uint16(id), uint16(0), uint16(0)],
  ]);
  const bytes = Buffer.concat([
    ...[message, wire(key.name), Buffer.of(0, TSIG, 0, 255, 0, 0, 0, 0)],
    ...[uint16(rdata.length), rdata],
  ]);
  bytes.writeUInt16BE(bytes.readUInt16BE(10) + 1, 10);
  return { bytes, mac };
}

export interface ReadTsig {
  readonly keyName: string;
  readonly mac: Buffer;
  readonly timeS: number;
  readonly fudgeS: number;
  readonly error: number;
  readonly other: Buffer;
  /** The message without it. */
  readonly bare: Buffer;
}

/** The TSIG at the end of a message; undefined: there is none. */
export function readTsig(message: Buffer): ReadTsig | undefined {
  const all = recordsOf(message);
  const last = all.at(-1);
  if (last === undefined || last.type !== TSIG) return undefined;
  const name = nameAt(message, last.dataStart);
  const at = name.end;
  const macBytes = message.readUInt16BE(at + 8);
  const afterMac = at + 10 + macBytes;
  const bare = Buffer.from(message.subarray(0, last.start));
  bare.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
  bare.writeUInt16BE(message.readUInt16BE(afterMac), 0);
  return {
    keyName: last.name,
    mac: message.subarray(at + 10, afterMac),
    timeS: message.readUIntBE(at, 6),
    fudgeS: message.readUInt16BE(at + 6),
    error: message.readUInt16BE(afterMac + 2),
    other: message.subarray(afterMac + 6),
    bare,
  };
}

/** Throws unless every message is signed, each one over the one before (RFC 8945 §5.3.1). */
export function checkSignatures(
  messages: readonly Buffer[],
  { requestMac, key = KEY }: { readonly requestMac: Buffer; readonly key?: SharedKey },
): void {
  let previous = requestMac;
  for (const [index, message] of messages.entries()) {
    const tsig = readTsig(message);
    if (tsig === undefined) throw new Error(`message ${index} is not signed`);
    const time = timerBytes(tsig.timeS, tsig.fudgeS);
    const variables = [
      ...[wire(key.name), Buffer.of(0, 255, 0, 0, 0, 0), wire(key.algorithm), time],
      ...[uint16(tsig.error), uint16(tsig.other.length), tsig.other],
    ];
    const tail = index === 0 ? variables : [time];
    const expected = hmac(key, [uint16(previous.length), previous, tsig.bare, ...tail]);
    if (!expected.equals(tsig.mac)) throw new Error(`message ${index} has a wrong signature`);
    previous = tsig.mac;
  }
}

/** `owner TTL TYPE data` of every answer, in the order of the messages. */
export function answers(messages: readonly Buffer[]): readonly string[] {
  return messages.flatMap((message) => {
    const { answers: decoded } = packet.decode(message.subarray());
    return (decoded ?? []).map((each) => {
      const { name, type, ttl, data } = each as unknown as Record<string, unknown>;
      return `${String(name)} ${String(ttl)} ${String(type)} ${textOf(data)}`;
    });
  });
}

/** A zone as it is after the answers of an IXFR; throws where they do not fit what there was. */
export function applyChanges(before: readonly string[], given: readonly string[]): string[] {
  const zone = new Set(before);
  const [first = ''] = given;
  let isAdding = true;
  for (const line of given.slice(1, -1)) {
    if (line.includes(' SOA ')) {
      isAdding = !isAdding;
      continue;
    }
    if (zone.has(line) === isAdding) throw new Error(`${isAdding ? 'added' : 'removed'}: ${line}`);
    if (isAdding) zone.add(line);
    else zone.delete(line);
  }
  if (given.at(-1) !== first) throw new Error('the last SOA is not the first one');
  return [...zone].toSorted();
}

function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  if (Buffer.isBuffer(data)) return data.toString('hex');
  if (Array.isArray(data)) return data.map(textOf).join('|');
  return Object.values(data as object).join(' ');
}

function recordsOf(message: Buffer): {
  readonly name: string;
  readonly type: number;
  readonly start: number;
  readonly dataStart: number;
}[] {
  let offset = 12;
  for (let count = message.readUInt16BE(4); count > 0; count -= 1) {
    offset = nameAt(message, offset).end + 4;
  }
  const total = [6, 8, 10].reduce((sum, at) => sum + message.readUInt16BE(at), 0);
  return Array.from({ length: total }, () => {
    const { name, end } = nameAt(message, offset);
    const record = { name, type: message.readUInt16BE(end), start: offset, dataStart: end + 10 };
    offset = end + 10 + message.readUInt16BE(end + 8);
    return record;
  });
}

function nameAt(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let offset = start;
  let end = 0;
  for (;;) {
    const length = message.readUInt8(offset);
    if (length >= 0xc0) {
      if (end === 0) end = offset + 2;
      offset = message.readUInt16BE(offset) & 0x3fff;
      continue;
    }
    if (length === 0) return { name: labels.join('.'), end: end === 0 ? offset + 1 : end };
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
}

function wire(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([...parts, Buffer.of(0)]);
}

function timerBytes(timeS: number, fudgeS: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(timeS, 0, 6);
  bytes.writeUInt16BE(fudgeS, 6);
  return bytes;
}

function resized(mac: Buffer, bytes: number): Buffer {
  return Buffer.concat([mac, Buffer.alloc(bytes)]).subarray(0, bytes);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function hmac({ algorithm, secret }: SharedKey, parts: readonly Buffer[]): Buffer {
  const digest = createHmac(algorithm.replace('hmac-', ''), secret);
  for (const part of parts) digest.update(part);
  return digest.digest();
}
