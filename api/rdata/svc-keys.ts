import { ipv4Problem, ipv6Problem } from '../address.ts';
import { formatAddress, parseAddress } from './address.ts';
import { numberBytes } from './numbers.ts';
import { prefixed, STRING_BYTES_MAX } from './texts.ts';

export type SvcValue =
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  /** The end of a sentence that begins with the key. */
  | { readonly kind: 'problem'; readonly message: string };

/** The values of one SvcParamKey, in both directions. */
export interface SvcKey {
  readonly number: number;
  readonly name: string;
  /** From the value's bytes, its escapes undone; undefined: only the key was written. */
  parse(value: Uint8Array | undefined): SvcValue;
  /** The value as text, its bytes not yet escaped; '' for a key without one; undefined: malformed. */
  read(bytes: Buffer): string | undefined;
}

/** The registered keys, by number (RFC 9460 §14.3.2, RFC 9461 §5, RFC 9540 §4). */
export const SVC_KEYS: readonly SvcKey[] = [
  keyList(0, 'mandatory'),
  alpn(1, 'alpn'),
  noValue(2, 'no-default-alpn'),
  port(3, 'port'),
  hints(4, { name: 'ipv4hint', bytes: 4, example: '192.0.2.1', problemOf: ipv4Problem }),
  base64(5, 'ech'),
  hints(6, { name: 'ipv6hint', bytes: 16, example: '2001:db8::1', problemOf: ipv6Problem }),
  dohPath(7, 'dohpath'),
  noValue(8, 'ohttp'),
];

export const MANDATORY = 0;

/** 65535 is "Invalid key". */
const KEY_NUMBER_MAX = 65_534;

/** `alpn` → 1, `key667` → 667; undefined: no key. */
export function svcKeyNumber(name: string): number | undefined {
  const known = SVC_KEYS.find((key) => key.name === name);
  if (known !== undefined) return known.number;
  const digits = /^key(0|[1-9]\d{0,4})$/.exec(name)?.[1];
  const number = digits === undefined ? Number.NaN : Number(digits);
  return number <= KEY_NUMBER_MAX ? number : undefined;
}

export function svcKeyName(number: number): string {
  return SVC_KEYS.find((key) => key.number === number)?.name ?? `key${number}`;
}

function value(bytes: Uint8Array): SvcValue {
  return { kind: 'value', bytes };
}

function problem(message: string): SvcValue {
  return { kind: 'problem', message };
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('latin1');
}

/** RFC 9460 §8: other keys, sorted and each once on the wire. */
function keyList(number: number, name: string): SvcKey {
  return {
    number,
    name,
    parse(bytes) {
      const names = textOf(bytes).split(',');
      const numbers = names.map(svcKeyNumber);
      const unknown = numbers.indexOf(undefined);
      if (unknown >= 0)
        return problem(`needs keys, e.g. mandatory=alpn; ${quoted(names, unknown)}`);
      const sorted = numbers.map(Number).toSorted((a, b) => a - b);
      if (new Set(sorted).size < sorted.length) return problem('names a key twice; remove one');
      if (sorted.includes(MANDATORY)) return problem('must not name itself');
      return value(Buffer.concat(sorted.map((each) => numberBytes(each, 2))));
    },
    read(bytes) {
      if (bytes.length === 0 || bytes.length % 2 !== 0) return undefined;
      const numbers = Array.from({ length: bytes.length / 2 }, (_, at) =>
        bytes.readUInt16BE(2 * at),
      );
      const isSorted = numbers.every((each, at) => each > (numbers[at - 1] ?? MANDATORY));
      return isSorted ? numbers.map(svcKeyName).join(',') : undefined;
    },
  };
}

function quoted(names: readonly string[], index: number): string {
  return `"${names[index] ?? ''}" is none`;
}

/** RFC 9460 §7.1.1; the list of appendix A.1, in which `\,` and `\\` stand for themselves. */
function alpn(number: number, name: string): SvcKey {
  const mend = 'needs protocols, e.g. alpn=h2,h3';
  return {
    number,
    name,
    parse(bytes) {
      const items = [...textOf(bytes).matchAll(/((?:[^,\\]|\\[,\\])*)(,|$|\\)/gs)];
      const texts: string[] = [];
      for (const [, item = '', end] of items) {
        const text = item.replaceAll(/\\(.)/gs, '$1');
        const fits = text.length > 0 && text.length <= STRING_BYTES_MAX && end !== '\\';
        if (!fits) return problem(mend);
        texts.push(text);
        if (end === '') break;
      }
      return value(Buffer.concat(texts.map((text) => prefixed(Buffer.from(text, 'latin1')))));
    },
    read(bytes) {
      const texts: string[] = [];
      for (let offset = 0; offset < bytes.length; ) {
        const end = offset + 1 + (bytes[offset] ?? 0);
        if (end === offset + 1 || end > bytes.length) return undefined;
        texts.push(bytes.toString('latin1', offset + 1, end).replaceAll(/[,\\]/g, '\\$&'));
        offset = end;
      }
      return texts.length === 0 ? undefined : texts.join(',');
    },
  };
}

function noValue(number: number, name: string): SvcKey {
  return {
    number,
    name,
    parse: (bytes) =>
      bytes === undefined || bytes.length === 0
        ? value(new Uint8Array())
        : problem('takes no value'),
    read: (bytes) => (bytes.length === 0 ? '' : undefined),
  };
}

/** RFC 9460 §7.2. */
function port(number: number, name: string): SvcKey {
  return {
    number,
    name,
    parse(bytes) {
      const text = textOf(bytes);
      const isPort = /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
      return isPort ? value(numberBytes(Number(text), 2)) : problem('must be 0 to 65535');
    },
    read: (bytes) => (bytes.length === 2 ? String(bytes.readUInt16BE(0)) : undefined),
  };
}

interface Hints {
  readonly name: string;
  readonly bytes: 4 | 16;
  readonly example: string;
  problemOf(text: string): string | undefined;
}

/** RFC 9460 §7.3. */
function hints(number: number, { name, bytes: size, example, problemOf }: Hints): SvcKey {
  return {
    number,
    name,
    parse(bytes) {
      const addresses: Uint8Array[] = [];
      for (const text of textOf(bytes).split(',')) {
        const address = parseAddress(text);
        if (address?.length !== size) {
          if (text === '') return problem(`needs addresses, e.g. ${name}=${example}`);
          return problem(`has "${text}", which ${problemOf(text) ?? 'is no address'}`);
        }
        addresses.push(address);
      }
      return value(Buffer.concat(addresses));
    },
    read(bytes) {
      if (bytes.length === 0 || bytes.length % size !== 0) return undefined;
      const count = bytes.length / size;
      return Array.from({ length: count }, (_, at) =>
        formatAddress(bytes.subarray(at * size, (at + 1) * size)),
      ).join(',');
    },
  };
}

/** An ECHConfigList in base64 (RFC 9848 §3). */
function base64(number: number, name: string): SvcKey {
  return {
    number,
    name,
    parse(bytes) {
      const text = textOf(bytes);
      const isBase64 = /^(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i.test(text);
      return isBase64 && text !== ''
        ? value(Buffer.from(text, 'base64'))
        : problem('must be base64 without blanks');
    },
    read: (bytes) => (bytes.length === 0 ? undefined : bytes.toString('base64')),
  };
}

/** A URI template in UTF-8, relative, that names the variable "dns" (RFC 9461 §5). */
function dohPath(number: number, name: string): SvcKey {
  const isTemplate = (text: string) =>
    text.startsWith('/') && (text.match(/\{[^{}]*\}/g) ?? []).some((each) => /\bdns\b/.test(each));
  return {
    number,
    name,
    parse(bytes) {
      const isGood = isTemplate(textOf(bytes));
      return isGood
        ? value(bytes ?? new Uint8Array())
        : problem('must be a path with the variable dns, e.g. dohpath=/dns-query{?dns}');
    },
    read(bytes) {
      const text = bytes.toString('latin1');
      return isTemplate(text) ? text : undefined;
    },
  };
}
