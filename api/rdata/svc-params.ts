import { type Field, type FieldOutcome, problem } from './field.ts';
import { numberBytes } from './numbers.ts';
import { MANDATORY, SVC_KEYS, type SvcValue, svcKeyName, svcKeyNumber } from './svc-keys.ts';
import { ESCAPE_PROBLEM } from './texts.ts';
import { quotedText, unescapeText, type Word } from './words.ts';

/** The SvcParams of SVCB and HTTPS (RFC 9460 §2.1), by number in ascending order on the wire. */
export const svcParams: Field = {
  label: 'SvcParams',
  takes: 'any',
  parse(words) {
    const params = new Map<number, Uint8Array>();
    for (const word of words) {
      const { name, text } = nameAndValue(word);
      const number = svcKeyNumber(name);
      if (number === undefined) return problem(`has the unknown key "${name}"; ${KNOWN_KEYS}`);
      if (params.has(number)) return problem(`has the key ${name} twice; remove one`);
      const outcome = parseValue(number, { name, text });
      if (outcome.kind === 'problem') return problem(`has ${name}, which ${outcome.message}`);
      if (outcome.bytes.length > VALUE_BYTES_MAX) return problem(`has ${name}, which is too long`);
      params.set(number, outcome.bytes);
    }
    const message = combinationProblem(params);
    return message === undefined ? fieldOf(params) : problem(message);
  },
  read(wire, offset) {
    const texts: string[] = [];
    let end = offset;
    let last = -1;
    while (end < wire.length) {
      if (end + 4 > wire.length) return undefined;
      const number = wire.readUInt16BE(end);
      const next = end + 4 + wire.readUInt16BE(end + 2);
      const text = next > wire.length ? undefined : paramText(number, wire.subarray(end + 4, next));
      // RFC 9460 §2.2: in strictly ascending order, else the record is malformed.
      if (text === undefined || number <= last) return undefined;
      texts.push(text);
      last = number;
      end = next;
    }
    return { text: texts.join(' '), end };
  },
};

/** A length of 16 bits stands before each value. */
const VALUE_BYTES_MAX = 65_535;

const KNOWN_KEYS = `known are ${SVC_KEYS.map(({ name }) => name).join(', ')} and keyNNNNN`;

/** `key`, `key=value` or `key="value"`. */
function nameAndValue({ text }: Word): {
  readonly name: string;
  readonly text: string | undefined;
} {
  const equals = text.indexOf('=');
  if (equals < 0) return { name: text.toLowerCase(), text: undefined };
  const written = text.slice(equals + 1);
  const isQuoted = written.length > 1 && written.startsWith('"') && written.endsWith('"');
  return {
    name: text.slice(0, equals).toLowerCase(),
    text: isQuoted ? written.slice(1, -1) : written,
  };
}

function parseValue(
  number: number,
  { name, text }: { readonly name: string; readonly text: string | undefined },
): SvcValue {
  const bytes = text === undefined ? undefined : unescapeText(text);
  if (text !== undefined && bytes === undefined)
    return { kind: 'problem', message: ESCAPE_PROBLEM };
  const known = SVC_KEYS.find((key) => key.number === number);
  if (known?.name === name) return known.parse(bytes);
  const raw = Buffer.from(bytes ?? []);
  // `key3=\000\053` is the wire form of a known key, and must be a good one.
  return known !== undefined && known.read(raw) === undefined
    ? { kind: 'problem', message: `is no value of ${known.name}; write it by that name` }
    : { kind: 'value', bytes: raw };
}

/** RFC 9460 §2.4.3 and §8: what makes a record consistent with itself. */
function combinationProblem(params: ReadonlyMap<number, Uint8Array>): string | undefined {
  const NO_DEFAULT_ALPN = 2;
  const ALPN = 1;
  if (params.has(NO_DEFAULT_ALPN) && !params.has(ALPN)) {
    return 'has no-default-alpn without alpn; add alpn, or remove it';
  }
  const mandatory = Buffer.from(params.get(MANDATORY) ?? []);
  for (let offset = 0; offset < mandatory.length; offset += 2) {
    const number = mandatory.readUInt16BE(offset);
    if (!params.has(number)) {
      const name = svcKeyName(number);
      return `says that ${name} is mandatory, and has no ${name}; add it`;
    }
  }
  return undefined;
}

function fieldOf(params: ReadonlyMap<number, Uint8Array>): FieldOutcome {
  const sorted = [...params].toSorted(([one], [other]) => one - other);
  const parts = sorted.map(([number, bytes]) =>
    Buffer.concat([numberBytes(number, 2), numberBytes(bytes.length, 2), bytes]),
  );
  const texts = sorted.map(([number, bytes]) => paramText(number, Buffer.from(bytes)) ?? '');
  return { kind: 'field', parts, text: texts.join(' ') };
}

/** `port=443`, `alpn="h2,h3"`; values that need no quotes have none. Undefined: malformed. */
function paramText(number: number, bytes: Buffer): string | undefined {
  const known = SVC_KEYS.find((key) => key.number === number);
  const text = known === undefined ? bytes.toString('latin1') : known.read(bytes);
  if (text === undefined) return undefined;
  const name = svcKeyName(number);
  if (text === '') return name;
  if (/^[a-z0-9.,:/+=_-]+$/i.test(text)) return `${name}=${text}`;
  return `${name}=${quotedText(Buffer.from(text, 'latin1'))}`;
}
