/** How long one string of a TXT record may be, in bytes (RFC 1035 §3.3). */
export const TXT_STRING_BYTES_MAX = 255;

/** How long all strings of a record may be on the wire, in bytes: RDLENGTH has 16 bits. */
export const TXT_BYTES_MAX = 65_535;

export type TxtOutcome =
  | { readonly kind: 'strings'; readonly strings: readonly Uint8Array[] }
  | { readonly kind: 'error'; readonly message: string };

/**
 * The strings of a TXT record. A value that begins with `"` is one or more quoted strings
 * (`"v=DKIM1; p=MII…" "…AQAB"`); any other is a single string as it stands, spaces included.
 * In both, `\"` and `\\` stand for themselves and `\065` for a byte (RFC 1035 §5.1).
 */
export function parseTxtStrings(value: string): TxtOutcome {
  const texts = value.startsWith('"') ? quotedTexts(value) : [value];
  if (texts === undefined) return error('has a quote that does not close; write "first" "second"');
  const strings: Uint8Array[] = [];
  for (const text of texts) {
    const bytes = unescape(text);
    if (bytes === undefined)
      return error('has a "\\" with nothing, or no byte (000 to 255), behind');
    if (bytes.length > TXT_STRING_BYTES_MAX) {
      return error(
        `has a string of ${bytes.length} bytes; at most ${TXT_STRING_BYTES_MAX} are possible: split it, '"first" "second"'`,
      );
    }
    strings.push(bytes);
  }
  const sizeBytes = strings.reduce((sum, each) => sum + 1 + each.length, 0);
  if (sizeBytes > TXT_BYTES_MAX) return error(`is longer than ${TXT_BYTES_MAX} bytes`);
  return { kind: 'strings', strings };
}

function error(message: string): TxtOutcome {
  return { kind: 'error', message };
}

function quotedTexts(value: string): readonly string[] | undefined {
  if (!/^"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*\s*$/s.test(value)) return undefined;
  return [...value.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, text = '']) => text);
}

function unescape(text: string): Uint8Array | undefined {
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
