/** A number as Go's `strconv` writes it without an exponent: `0.0000001`, `1000000000000000000000`. */
export function goNumber(value: number, source: string | undefined): string {
  // Beyond 2^53 the digits are those that are written.
  if (source !== undefined && /^-?[1-9]\d{15,}$/.test(source)) return source;
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return Object.is(value, -0) ? '-0' : text;
  const [, sign = '', first = '', rest = '', exponent = '0'] = match;
  const digits = first + rest;
  const at = 1 + Number(exponent);
  if (at <= 0) return `${sign}0.${'0'.repeat(-at)}${digits}`;
  return `${sign}${digits.padEnd(at, '0')}`;
}
