/**
 * How a word was written: without quotes, in quotes, or as `key="value"`, whose quotes stay in the
 * text. Escapes are left as they came: what they mean depends on the field.
 */
export interface Word {
  readonly text: string;
  readonly form: 'plain' | 'quoted' | 'assigned';
}

export type WordsOutcome =
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  | { readonly kind: 'error'; readonly message: string };

/** Why a text cannot be split, as the end of a sentence. */
export const QUOTE_PROBLEM =
  'has a quote that does not close, or that stands inside a word; write "first" "second", and \\" for a quote itself';

/** The words of a value, without comments and parentheses: those are of zone files. */
export function splitWords(value: string): WordsOutcome {
  if (!/["\\]/.test(value)) {
    const words = value.split(/[ \t\r\n]+/).filter((text) => text !== '');
    return { kind: 'words', words: words.map((text) => ({ text, form: 'plain' })) };
  }
  const words: Word[] = [];
  for (let offset = skipBlanks(value, 0); offset < value.length; ) {
    const found = readWord(value, offset, BLANKS);
    if (found === undefined) return { kind: 'error', message: QUOTE_PROBLEM };
    words.push(found.word);
    offset = skipBlanks(value, found.end);
  }
  return { kind: 'words', words };
}

const BLANKS = ' \t\r\n';

function skipBlanks(text: string, start: number): number {
  let offset = start;
  while (offset < text.length && BLANKS.includes(text.charAt(offset))) offset += 1;
  return offset;
}

/**
 * The word that begins at `start`, where no character of `ends` stands. Outside of quotes it goes
 * as far as one of `ends`; a quote opens only at its beginning or after `=`, and must be closed by
 * its end. Undefined: its quotes are wrong.
 */
export function readWord(
  text: string,
  start: number,
  ends: string,
): { readonly word: Word; readonly end: number } | undefined {
  for (let offset = start; ; offset += 1) {
    const character = text.charAt(offset);
    if (character === '' || ends.includes(character)) {
      return { word: { text: text.slice(start, offset), form: 'plain' }, end: offset };
    }
    if (character === '\\') offset += 1;
    if (character !== '"') continue;
    const end = endOfQuote(text, offset);
    const isAssigned = offset > start && text[offset - 1] === '=';
    if (end === undefined || (offset > start && !isAssigned)) return undefined;
    const after = text.charAt(end);
    if (after !== '' && !ends.includes(after)) return undefined;
    const word: Word = isAssigned
      ? { text: text.slice(start, end), form: 'assigned' }
      : { text: text.slice(start + 1, end - 1), form: 'quoted' };
    return { word, end };
  }
}

/** The offset after the quote that closes the one at `start`, which is on the same line. */
function endOfQuote(text: string, start: number): number | undefined {
  for (let offset = start + 1; offset < text.length; offset += 1) {
    const character = text[offset];
    if (character === '"') return offset + 1;
    if (character === '\\') offset += 1;
  }
  return undefined;
}

/**
 * The bytes that a text stands for: `\"` and `\\` for themselves, `\065` for a byte (RFC 1035
 * §5.1), other characters in UTF-8. Undefined: a `\` with nothing, or with no byte, behind it.
 */
export function unescapeText(text: string): Uint8Array | undefined {
  if (!text.includes('\\')) return Buffer.from(text, 'utf8');
  const parts: Uint8Array[] = [];
  for (const [, byte, character, plain] of text.matchAll(/\\(\d{3})|\\(\D?)|([^\\]+)/gsu)) {
    if (byte !== undefined) {
      if (Number(byte) > 255) return undefined;
      parts.push(Uint8Array.of(Number(byte)));
    } else if (character === '') {
      return undefined;
    } else {
      parts.push(Buffer.from(character ?? plain ?? '', 'utf8'));
    }
  }
  return Buffer.concat(parts);
}

/** The inverse of `unescapeText`, in quotes and in ASCII. */
export function quotedText(bytes: Uint8Array): string {
  return `"${escapeBytes(bytes)}"`;
}

function escapeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return text.replace(/[^ -~]|["\\]/g, (character) =>
    /[ -~]/.test(character)
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  );
}
