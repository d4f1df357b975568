import type { NameContext, RdataPart } from './field.ts';
import { LAYOUTS, type Layout } from './layouts.ts';
import { type NameKey, ROOT } from './name.ts';
import { typeName } from './types.ts';
import { splitWords, type Word } from './words.ts';

/** How long the data of one record may be on the wire, in bytes: RDLENGTH has 16 bits. */
export const RDATA_BYTES_MAX = 65_535;

export type RdataOutcome =
  | {
      readonly kind: 'rdata';
      /** In order: bytes as they are, and names that may be compressed (RFC 3597 §4). */
      readonly parts: readonly RdataPart[];
      /** Canonical presentation format: one blank between fields, names whole with a final dot. */
      readonly text: string;
      /** The name whose addresses a reader will want next: of ALIAS, HTTPS, MX, NS, SRV, SVCB. */
      readonly target: NameKey | undefined;
    }
  /** What is wrong and how to mend it, as the end of a sentence that begins with the value. */
  | { readonly kind: 'error'; readonly message: string };

/**
 * The data of one record from presentation format (RFC 1035 §5.1): what manifests, zone files and
 * plans hold. A TXT value that does not begin with a quote is one string as it stands. Every type
 * may come as `\# 4 0a000001`, those that are not known by their fields only so (RFC 3597 §5).
 */
export function parseRdata(type: number, value: string, context: NameContext): RdataOutcome {
  const name = typeName(type);
  if (name === 'TXT' && !/^(?:"|\\# )/.test(value)) {
    return parseRdataWords(type, [{ text: value, form: 'quoted' }], context);
  }
  const split = splitWords(value);
  if (split.kind === 'error') return split;
  if (name === 'TXT' && split.words.some(isBare) && !isGeneric(split.words)) {
    return error('has a string without quotes beside one with; write "first" "second"');
  }
  return parseRdataWords(type, split.words, context);
}

/** As `parseRdata`, of words that a zone file has been split into: each word of TXT is a string. */
export function parseRdataWords(
  type: number,
  words: readonly Word[],
  context: NameContext,
): RdataOutcome {
  const layout = LAYOUTS[typeName(type)];
  if (isGeneric(words)) return parseGeneric(layout, words, context);
  return layout === undefined
    ? error(`must be written as \\# LENGTH HEX (RFC 3597), for ${typeName(type)} is not known here`)
    : parseFields(layout, words, context);
}

/** The canonical text of data that came over the wire; as `\# …` where it cannot be read. */
export function formatRdata(type: number, wire: Buffer): string {
  const layout = LAYOUTS[typeName(type)];
  return (layout && readFields(layout, wire)) ?? genericText(wire);
}

/** Messages repeat words of the value, which may be of any length. */
function error(message: string): RdataOutcome {
  const isLong = message.length > MESSAGE_LENGTH_MAX;
  return { kind: 'error', message: isLong ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message };
}

const MESSAGE_LENGTH_MAX = 512;

function isBare({ form }: Word): boolean {
  return form !== 'quoted';
}

function isGeneric([first]: readonly Word[]): boolean {
  return first?.text === '\\#' && first.form === 'plain';
}

function parseFields(layout: Layout, words: readonly Word[], context: NameContext): RdataOutcome {
  const parts: RdataPart[] = [];
  const texts: string[] = [];
  let target: NameKey | undefined;
  if (!isCountOf(layout, words.length)) return error(`must be ${layout.shape}`);
  for (const [index, field] of layout.fields.entries()) {
    const taken = field.takes === 'word' ? words.slice(index, index + 1) : words.slice(index);
    const isStray = taken.some(({ form }) => form === 'assigned') && field.label !== 'SvcParams';
    const outcome = isStray ? STRAY_QUOTE : field.parse(taken, context);
    if (outcome.kind === 'problem') {
      return error(layout.fields.length === 1 ? outcome.message : within(field, taken, outcome));
    }
    parts.push(...outcome.parts);
    if (outcome.text !== '') texts.push(outcome.text);
    target = outcome.target ?? target;
  }
  const message = wireProblem(layout, parts);
  return message === undefined
    ? { kind: 'rdata', parts, text: texts.join(' '), target }
    : error(message);
}

/** Only the last field takes more or less than one word. */
function isCountOf({ fields }: Layout, words: number): boolean {
  const { takes } = fields.at(-1) ?? { takes: 'word' };
  if (takes === 'word') return words === fields.length;
  return words >= (takes === 'any' ? fields.length - 1 : fields.length);
}

const STRAY_QUOTE = {
  kind: 'problem',
  message: 'has a quote inside a word; put the whole word in quotes',
} as const;

/** `preference "x" must be …`; lists of many words speak for themselves. */
function within(
  field: { readonly label: string; readonly takes: string },
  [word]: readonly Word[],
  { message }: { readonly message: string },
): string {
  const shown = (word?.text ?? '').slice(0, SHOWN_LENGTH_MAX);
  return field.takes === 'any' ? message : `${field.label} "${shown}" ${message}`;
}

/** Characters of a word that a message repeats. */
const SHOWN_LENGTH_MAX = 64;

function wireProblem(layout: Layout, parts: readonly RdataPart[]): string | undefined {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += typeof part === 'string' ? part.length + 1 : part.length;
  if (sizeBytes > RDATA_BYTES_MAX) {
    return `is ${sizeBytes} bytes long; at most ${RDATA_BYTES_MAX} are possible`;
  }
  return layout.problemOf?.(wireOf(parts));
}

function wireOf(parts: readonly RdataPart[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`, 'latin1') : part)),
  );
}

function readFields(layout: Layout, wire: Buffer): string | undefined {
  const texts: string[] = [];
  let offset = 0;
  for (const field of layout.fields) {
    const found = field.read(wire, offset);
    if (found === undefined) return undefined;
    if (found.text !== '') texts.push(found.text);
    offset = found.end;
  }
  return offset === wire.length ? texts.join(' ') : undefined;
}

/** RFC 3597 §5: `\# LENGTH HEX`. Of a known type, the bytes must be what its fields say. */
function parseGeneric(
  layout: Layout | undefined,
  [, length, ...rest]: readonly Word[],
  context: NameContext,
): RdataOutcome {
  const hex = rest.map(({ text }) => text).join('');
  const isHex = /^(?:[0-9a-f]{2})*$/i.test(hex) && rest.every(({ form }) => form === 'plain');
  if (!/^\d{1,5}$/.test(length?.text ?? '') || !isHex) {
    return error('must be \\#, a length in bytes and hexadecimal, e.g. \\# 4 0a000001');
  }
  const wire = Buffer.from(hex, 'hex');
  if (wire.length !== Number(length?.text)) {
    return error(`says ${length?.text} bytes and has ${wire.length}; correct one of them`);
  }
  if (wire.length > RDATA_BYTES_MAX) return error(`is longer than ${RDATA_BYTES_MAX} bytes`);
  if (layout === undefined) {
    return { kind: 'rdata', parts: [wire], text: genericText(wire), target: undefined };
  }
  const text = readFields(layout, wire);
  const split = text === undefined ? undefined : splitWords(text);
  if (split?.kind !== 'words') return error(`has bytes that are not ${layout.shape}`);
  return parseFields(layout, split.words, { ...context, origin: ROOT, dotted: 'relative' });
}

function genericText(wire: Buffer): string {
  return wire.length === 0 ? '\\# 0' : `\\# ${wire.length} ${wire.toString('hex')}`;
}
