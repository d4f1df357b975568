import { ipv4Problem, ipv6Problem, isIpv4, isIpv6 } from '../address.ts';
import { formatAddress, parseAddress } from './address.ts';
import { type Field, problem } from './field.ts';
import type { Word } from './words.ts';

/** Bytes up to the end in hexadecimal, which may have blanks in between (RFC 4034 §5.3). */
export function hex(label: string): Field {
  return {
    label,
    takes: 'rest',
    parse(words) {
      const text = joined(words).toLowerCase();
      if (!/^(?:[0-9a-f]{2})+$/.test(text)) {
        return problem('must be hexadecimal, two digits a byte, e.g. 49fd46e6');
      }
      return { kind: 'field', parts: [Buffer.from(text, 'hex')], text };
    },
    read(wire, offset) {
      if (offset >= wire.length) return undefined;
      return { text: wire.toString('hex', offset), end: wire.length };
    },
  };
}

export const ipv4: Field = address(4, (value) =>
  isIpv6(value) ? 'is an IPv6 address; those go into a record of type AAAA' : ipv4Problem(value),
);

export const ipv6: Field = address(16, (value) =>
  isIpv4(value) ? 'is an IPv4 address; those go into a record of type A' : ipv6Problem(value),
);

function address(bytes: 4 | 16, problemOf: (text: string) => string | undefined): Field {
  return {
    label: 'address',
    takes: 'word',
    parse([word]) {
      const text = word?.text ?? '';
      const wire = parseAddress(text);
      const isUsable = wire?.length === bytes && wire.some((byte) => byte !== 0);
      if (!isUsable) return problem(problemOf(text) ?? 'is not an address');
      return { kind: 'field', parts: [wire], text: formatAddress(wire) };
    },
    read(wire, offset) {
      const end = offset + bytes;
      if (end > wire.length) return undefined;
      return { text: formatAddress(wire.subarray(offset, end)), end };
    },
  };
}

function joined(words: readonly Word[]): string {
  return words.map(({ text }) => text).join('');
}
