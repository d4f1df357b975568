import { type Field, problem } from './field.ts';

/** A number of so many bytes, in decimal. */
export function number(label: string, bytes: 1 | 2 | 4, options: NumberOptions = {}): Field {
  const maximum = 2 ** (8 * bytes) - 1;
  const { words = new Map() } = options;
  return {
    label,
    takes: 'word',
    parse([word]) {
      const text = word?.text ?? '';
      const value = words.get(text.toUpperCase()) ?? (/^\d{1,10}$/.test(text) ? Number(text) : -1);
      if (value < 0 || value > maximum || word?.form !== 'plain') {
        return problem(`must be a number from 0 to ${maximum}`);
      }
      return { kind: 'field', parts: [numberBytes(value, bytes)], text: String(value) };
    },
    read(wire, offset) {
      const end = offset + bytes;
      return end > wire.length ? undefined : { text: String(wire.readUIntBE(offset, bytes)), end };
    },
  };
}

interface NumberOptions {
  /** Words that stand for numbers, in upper case. */
  readonly words?: ReadonlyMap<string, number>;
}

/** Seconds in four bytes, also with units: `1h30m` is 5400. */
export function seconds(label: string): Field {
  return {
    ...number(label, 4),
    parse([word]) {
      const value = parseSeconds(word?.text ?? '');
      if (value === undefined) return problem('must be seconds, or a time like 1h30m');
      return { kind: 'field', parts: [numberBytes(value, 4)], text: String(value) };
    },
  };
}

const UNITS_S: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** What 32 bits hold. */
const SECONDS_MAX = 0xffff_ffff;

/** `3600`, `1h`, `1h30m` as seconds, at most 32 bits; undefined: no time. */
export function parseSeconds(text: string): number | undefined {
  if (!/^(?:\d{1,10}|(?:\d{1,10}[wdhms])+)$/i.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit = 's'] of text.matchAll(/(\d+)([a-z])?/gi)) {
    total += Number(digits) * (UNITS_S[unit.toLowerCase()] ?? 1);
  }
  return total <= SECONDS_MAX ? total : undefined;
}

export function numberBytes(value: number, bytes: 1 | 2 | 4): Uint8Array {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
