declare const brand: unique symbol;

/**
 * A domain name as a map key: its wire form (RFC 1035 §3.1) without the root label, ASCII letters
 * in lower case, one character a byte. The root is ''. Unlike dotted text it is unambiguous for
 * labels that hold dots or bytes outside ASCII, and a parent is a plain slice of it.
 */
export type NameKey = string & { readonly [brand]: 'NameKey' };

/** Bytes of a whole name on the wire, the root label among them. */
export const NAME_BYTES_MAX = 255;
export const LABEL_BYTES_MAX = 63;

export const ROOT: NameKey = '' as NameKey;

/**
 * Presentation format (RFC 1035 §5.1) to a key: `\.` and `\032` escapes, final dot optional,
 * never relative to anything. Undefined: not a name.
 */
export function parseName(text: string): NameKey | undefined {
  if (text === '.') return ROOT;
  if (/^[!-[\]-~]+$/.test(text)) return parsePlainName(text);
  let key = '';
  let label = '';
  for (let index = 0; index < text.length; index += 1) {
    const dot = text[index] === '.';
    if (!dot) {
      const character = readCharacter(text, index);
      if (character === undefined) return undefined;
      label += character.byte;
      index += character.length - 1;
    }
    if (dot || index === text.length - 1) {
      if (label.length === 0 || label.length > LABEL_BYTES_MAX) return undefined;
      key += String.fromCharCode(label.length) + label;
      label = '';
    }
  }
  const inBounds = key.length > 0 && key.length < NAME_BYTES_MAX;
  return inBounds ? lowerCase(key) : undefined;
}

/** A name without escapes, as nearly all are. */
function parsePlainName(text: string): NameKey | undefined {
  const end = text.endsWith('.') ? text.length - 1 : text.length;
  if (end + 2 > NAME_BYTES_MAX) return undefined;
  let key = '';
  for (let start = 0; start <= end; ) {
    const dot = text.indexOf('.', start);
    const stop = dot < 0 ? end : dot;
    const length = stop - start;
    if (length === 0 || length > LABEL_BYTES_MAX) return undefined;
    key += String.fromCharCode(length) + text.slice(start, stop);
    start = stop + 1;
  }
  return lowerCase(key);
}

/** As `parseName`, but `@` is the origin, and a name without a final dot is relative to it. */
export function resolveName(text: string, origin: NameKey): NameKey | undefined {
  if (text === '@') return origin;
  const key = parseName(text);
  if (key === undefined || origin === ROOT || isWholeName(text)) return key;
  const whole = `${key}${origin}`;
  return whole.length < NAME_BYTES_MAX ? (whole as NameKey) : undefined;
}

/** Whether a text ends in the dot of the root, rather than in an escaped one. */
export function isWholeName(text: string): boolean {
  return text.endsWith('.') && !isEscaped(text, text.length - 1);
}

/** Whether the character at `index` has an odd number of backslashes before it. */
export function isEscaped(text: string, index: number): boolean {
  let start = index;
  while (text[start - 1] === '\\') start -= 1;
  return (index - start) % 2 === 1;
}

/**
 * The inverse of `parseName`, without a final dot; `.` for the root. Escaped so that zone files
 * can hold it, too.
 */
export function nameText(key: NameKey): string {
  return labelsOf(key).map(escapeLabel).join('.') || '.';
}

/** The labels of a name, one character a byte, the first one first. */
export function labelsOf(key: NameKey): readonly string[] {
  const labels: string[] = [];
  for (let rest: string = key; rest !== ''; rest = rest.slice(1 + rest.charCodeAt(0))) {
    labels.push(rest.slice(1, 1 + rest.charCodeAt(0)));
  }
  return labels;
}

/** The bytes of an uncompressed name, the root label among them. */
export function nameBytes(key: NameKey): Uint8Array {
  return Buffer.from(`${key}\0`, 'latin1');
}

/**
 * Reads an uncompressed name: a pointer is malformed. `end` is the offset after the root label.
 */
export function readName(
  message: Buffer,
  start: number,
): { readonly key: NameKey; readonly end: number } | undefined {
  let offset = start;
  for (;;) {
    const length = message[offset];
    if (length === undefined || length > LABEL_BYTES_MAX) return undefined;
    if (length === 0) break;
    offset += 1 + length;
    if (offset - start >= NAME_BYTES_MAX) return undefined;
  }
  return { key: lowerCase(message.toString('latin1', start, offset)), end: offset + 1 };
}

/** The name without its first label; the root's parent is the root. */
export function parentOf(key: NameKey): NameKey {
  return key === ROOT ? ROOT : (key.slice(1 + key.charCodeAt(0)) as NameKey);
}

/** True for the ancestor itself, too. */
export function isWithin(key: NameKey, ancestor: NameKey): boolean {
  let name = key;
  while (name.length > ancestor.length) name = parentOf(name);
  return name === ancestor;
}

/** Only ASCII letters fold (RFC 4343). Length bytes are below `A`, so they are never touched. */
function lowerCase(wire: string): NameKey {
  const folded = /[A-Z]/.test(wire)
    ? wire.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : wire;
  return folded as NameKey;
}

function readCharacter(
  text: string,
  index: number,
): { readonly byte: string; readonly length: number } | undefined {
  const character = text[index] ?? '';
  if (character !== '\\') {
    // Internationalized names must come as A-labels: bytes outside ASCII only through `\DDD`.
    return character >= '!' && character <= '~' ? { byte: character, length: 1 } : undefined;
  }
  const digits = /^\d{3}/.exec(text.slice(index + 1, index + 4))?.[0];
  if (digits === undefined) {
    const escaped = text[index + 1];
    return escaped === undefined || /\d/.test(escaped) || escaped > '~'
      ? undefined
      : { byte: escaped, length: 2 };
  }
  const code = Number(digits);
  return code > 255 ? undefined : { byte: String.fromCharCode(code), length: 4 };
}

function escapeLabel(label: string): string {
  return label.replace(/[^!-~]|[.\\"();@$]/g, (character) =>
    /[!-~]/.test(character)
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  );
}
