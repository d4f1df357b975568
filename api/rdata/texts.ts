import { type Field, problem } from './field.ts';
import { quotedText, unescapeText, type Word } from './words.ts';

/** How long a character string may be, in bytes (RFC 1035 §3.3). */
export const STRING_BYTES_MAX = 255;

/** A `<character-string>`: a length and as many bytes (RFC 1035 §3.3). */
export function string(label: string): Field {
  return { label, takes: 'word', parse: ([word]) => parseString(word), read: readString };
}

/** One string or more (RFC 1035 §3.3.14). */
export function strings(label: string): Field {
  return {
    label,
    takes: 'rest',
    parse(words) {
      const parts: Uint8Array[] = [];
      const texts: string[] = [];
      for (const word of words) {
        const outcome = parseString(word);
        if (outcome.kind === 'problem') return outcome;
        parts.push(...outcome.parts);
        texts.push(outcome.text);
      }
      return { kind: 'field', parts: [Buffer.concat(parts)], text: texts.join(' ') };
    },
    read(wire, offset) {
      const texts: string[] = [];
      let end = offset;
      do {
        const found = readString(wire, end);
        if (found === undefined) return undefined;
        texts.push(found.text);
        end = found.end;
      } while (end < wire.length);
      return { text: texts.join(' '), end };
    },
  };
}

/** A text that fills the rest of the data, without a length (RFC 8659 §4.1). */
export function restText(label: string): Field {
  return {
    label,
    takes: 'word',
    parse([word]) {
      const bytes = bytesOf(word);
      if (bytes === undefined) return problem(ESCAPE_PROBLEM);
      return { kind: 'field', parts: [bytes], text: quotedText(bytes) };
    },
    read: (wire, offset) => ({ text: quotedText(wire.subarray(offset)), end: wire.length }),
  };
}

/** A word of letters and digits with its length in front (RFC 8659 §4.1). */
export function tag(label: string, { charactersMax, known }: TagOptions): Field {
  return {
    label,
    takes: 'word',
    parse([word]) {
      const text = word?.text ?? '';
      if (!/^[a-z0-9]+$/i.test(text) || text.length > charactersMax) {
        return problem(`must be ${known}`);
      }
      return { kind: 'field', parts: [prefixed(Buffer.from(text, 'latin1'))], text };
    },
    read(wire, offset) {
      const end = offset + 1 + (wire[offset] ?? 255);
      if (end > wire.length) return undefined;
      return { text: wire.toString('latin1', offset + 1, end), end };
    },
  };
}

interface TagOptions {
  readonly charactersMax: number;
  /** The usual ones, for the error. */
  readonly known: string;
}

export const ESCAPE_PROBLEM = 'has a "\\" with nothing, or no byte (000 to 255), behind';

/** Bytes with their length in front. */
export function prefixed(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.allocUnsafe(1 + bytes.length);
  whole[0] = bytes.length;
  whole.set(bytes, 1);
  return whole;
}

function parseString(word: Word | undefined): StringOutcome {
  const bytes = bytesOf(word);
  if (bytes === undefined) return problem(ESCAPE_PROBLEM);
  if (bytes.length > STRING_BYTES_MAX) {
    return problem(
      `has a string of ${bytes.length} bytes; at most ${STRING_BYTES_MAX} are possible: split it, '"first" "second"'`,
    );
  }
  return { kind: 'field', parts: [prefixed(bytes)], text: quotedText(bytes) };
}

type StringOutcome =
  | { readonly kind: 'field'; readonly parts: readonly Uint8Array[]; readonly text: string }
  | { readonly kind: 'problem'; readonly message: string };

function bytesOf(word: Word | undefined): Uint8Array | undefined {
  return unescapeText(word?.text ?? '');
}

function readString(wire: Buffer, offset: number): ReturnType<Field['read']> {
  const end = offset + 1 + (wire[offset] ?? wire.length);
  if (end > wire.length) return undefined;
  return { text: quotedText(wire.subarray(offset + 1, end)), end };
}
