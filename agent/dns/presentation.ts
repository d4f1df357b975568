/**
 * Splits record data in presentation format (RFC 1035 §5.1) into words: bare, or in double quotes
 * with spaces in them. Throws a RangeError for a quote or an escape that does not end.
 */
export function parseWords(text: string): readonly Buffer[] {
  const word = /\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+))(?=\s|$)\s*/gsy;
  const words: Buffer[] = [];
  while (word.lastIndex < text.length) {
    const match = word.exec(text);
    if (match === null) throw new RangeError('a quote or an escape does not end');
    words.push(unescapeText(match[1] ?? match[2] ?? ''));
  }
  return words;
}

/** Resolves `\"` and `\195`; what is outside ASCII becomes UTF-8. Throws a RangeError. */
export function unescapeText(text: string): Buffer {
  const pieces = text.match(/\\\d{3}|\\.?|[^\\]+/gs) ?? [];
  return Buffer.concat(
    pieces.map((piece) => {
      if (!piece.startsWith('\\')) return Buffer.from(piece);
      if (piece.length === 2) return Buffer.from(piece.slice(1));
      const byte = Number(piece.slice(1) || Number.NaN);
      if (!(byte <= 255)) throw new RangeError(`${piece} is not an escape`);
      return Buffer.of(byte);
    }),
  );
}
