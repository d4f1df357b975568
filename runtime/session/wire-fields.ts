import { BinaryReader } from '@bufbuild/protobuf/wire';

/** The tag of a field that is a message, a text or bytes: its number, and how it is written. */
export function fieldTag(number: number): number {
  return (number << FIELD_SHIFT) | LENGTH_DELIMITED;
}

/** Goes past a field of which the tag has been read. Throws where there is none. */
export function skipField(reader: BinaryReader, tag: number): void {
  reader.skip(tag & WIRE_TYPE, tag >>> FIELD_SHIFT);
}

/**
 * The fields of a message that have one of the tags, as views of its bytes, and the message without
 * them: what the generated code is to read. Throws an Error where the bytes are no message.
 */
export function takeFields(
  bytes: Uint8Array,
  wanted: readonly number[],
): { readonly taken: readonly Uint8Array[]; readonly rest: Uint8Array } {
  const reader = new BinaryReader(bytes);
  const taken: Uint8Array[] = [];
  // Fields that stay come in runs.
  const runs: Uint8Array[] = [];
  let start = 0;
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const tag = reader.uint32();
    if (!wanted.includes(tag)) {
      skipField(reader, tag);
      continue;
    }
    if (at > start) runs.push(bytes.subarray(start, at));
    taken.push(reader.bytes());
    start = reader.pos;
  }
  runs.push(bytes.subarray(start));
  return { taken, rest: runs.length === 1 && runs[0] ? runs[0] : Buffer.concat(runs) };
}

/** Of a tag. */
const WIRE_TYPE = 7;
const FIELD_SHIFT = 3;
const LENGTH_DELIMITED = 2;
