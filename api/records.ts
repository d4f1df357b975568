import { recordNameProblem } from './names.ts';
import { didYouMean } from './nearest.ts';
import {
  isEscaped,
  labelsOf,
  type NameKey,
  nameText,
  parseName,
  ROOT,
  resolveName,
} from './rdata/name.ts';
import { writtenNameProblem } from './rdata/names.ts';
import { parseRdata } from './rdata/rdata.ts';
import { declaredTypeName, RECORD_TYPES, typeNumber, typeProblem } from './rdata/types.ts';

/**
 * A name in a zone, whole, in lower case and without a final dot, with bytes escaped in one way
 * only. `@` is the origin, a name with a final dot is whole already (the root is empty), any other
 * is relative to the origin. What is no name comes back as it is, made whole.
 */
export function absoluteName(name: string, origin: string): string {
  const lower = name.toLowerCase();
  if (lower === '@') return origin;
  if (lower.includes('\\')) {
    const key = resolveName(lower, originKey(origin));
    if (key !== undefined) return key === ROOT ? '' : nameText(key);
  }
  return lower.endsWith('.') ? lower.slice(0, -1) : `${lower}.${origin}`;
}

/** Whether a whole name is the origin or below it. */
export function isWithin(name: string, origin: string): boolean {
  if (name === origin) return true;
  // An escaped dot ends no label.
  return name.endsWith(`.${origin}`) && !isEscaped(name, name.length - origin.length - 1);
}

/**
 * How a manifest names what lies at `key`: `@`, relative to the origin, or whole where a relative
 * name would look like a slip. All odd bytes are escaped.
 */
export function relativeName(key: NameKey, origin: NameKey): string {
  if (key === origin) return '@';
  const relative = labelsText(key.slice(0, key.length - origin.length) as NameKey);
  const above = labelsText(origin);
  return origin !== ROOT && isWithin(relative, above) ? `${relative}.${above}.` : relative;
}

function labelsText(key: NameKey): string {
  const labels = labelsOf(key);
  return labels
    .map((label, index) => (index === 0 && label === '*' ? label : escaped(label)))
    .join('.');
}

function escaped(label: string): string {
  const isPlain = recordNameProblem(label) === undefined && !label.includes('.');
  if (isPlain) return label;
  return label.replaceAll(
    /[^a-z0-9_]/g,
    (byte) => `\\${String(byte.charCodeAt(0)).padStart(3, '0')}`,
  );
}

/** What is wrong with the name of a record; undefined: nothing. */
export function ownerProblem(name: string, origin: string): string | undefined {
  if (name === '') return 'is empty; write "@" for the origin itself';
  const whole = absoluteName(name, origin);
  if (!name.endsWith('.') && isWithin(name.toLowerCase(), origin)) {
    const relative = name.slice(0, -origin.length - 1) || '@';
    return `would mean ${whole}.; write "${relative}", or "${name}." with a final dot`;
  }
  if (!isWithin(whole, origin)) return `lies outside the zone; it must end in .${origin}.`;
  return name === '@' ? undefined : writtenNameProblem(name, originKey(origin));
}

/** What is wrong with the type of a record; undefined: nothing. */
export function recordTypeProblem(type: string): string | undefined {
  const number = typeNumber(type);
  if (number === undefined) {
    const meant = didYouMean(type, RECORD_TYPES);
    return meant === '' ? 'is no type; write TYPE and its number' : `is no type${meant}`;
  }
  const problem = typeProblem(number);
  const name = declaredTypeName(number);
  if (problem !== undefined || name === type) return problem;
  return type.startsWith('TYPE')
    ? `is the type ${name}; write that`
    : `is known by its number only; write ${name}, and values as \\# LENGTH HEX`;
}

/** What is wrong with the value of a record in presentation format; undefined: nothing. */
export function valueProblem(type: string, value: string, origin: string): string | undefined {
  const number = typeNumber(type);
  // What is wrong with the type itself is told of the type.
  if (number === undefined || typeProblem(number) !== undefined) return undefined;
  const context = { origin: originKey(origin), dotted: 'refused' } as const;
  const outcome = parseRdata(number, value, context);
  return outcome.kind === 'error' ? outcome.message : undefined;
}

export type CanonicalValue =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'error'; readonly message: string };

/** The value as plans hold it: names in it whole, each thing written in one way only. */
export function canonicalValue(type: string, value: string, origin: string): CanonicalValue {
  const number = typeNumber(type);
  if (number === undefined) return { kind: 'error', message: `is of the unknown type ${type}` };
  const context = { origin: originKey(origin), dotted: 'relative' } as const;
  const outcome = parseRdata(number, value, context);
  return outcome.kind === 'error' ? outcome : { kind: 'value', value: outcome.text };
}

function originKey(origin: string): NameKey {
  return parseName(origin) ?? ROOT;
}
