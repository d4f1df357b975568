import type { ErrorObject } from 'ajv/dist/2020.js';
import type { Violation } from './kind.ts';
import { didYouMean } from './nearest.ts';
import { formatPath, type PathStep, parsePointer } from './path.ts';
import { quote } from './rules.ts';

/**
 * What the schema says, in words. `root` is where the checked value stands, e.g. `['spec']`;
 * `value` is the value that was checked. Of a Secret no message may repeat a value: `quotes`.
 */
export function schemaViolations(
  errors: readonly ErrorObject[],
  root: readonly string[],
  value: unknown,
  { quotes = 'values' }: { readonly quotes?: 'values' | 'nothing' } = {},
): readonly Violation[] {
  // What each branch of a choice says is summed up by the choice.
  const told = errors.filter(({ schemaPath }) => !schemaPath.includes('/anyOf/'));
  return told.map((error, index) => {
    // So many are not told, only counted; words for each would take its time.
    if (index >= WORDED_MAX) return { path: '', message: '' };
    const steps = [...root, ...stepsInto(value, error.instancePath)];
    const named = namedField(error);
    const path = formatPath(named === undefined ? steps : [...steps, named]);
    const isHidden = quotes === 'nothing' && isScalarOfOtherType(error);
    const message = isHidden ? unquotedType(error) : messageOf(error, formatPath(steps));
    return { path, message };
  });
}

/** More than `VIOLATIONS_MAX`. */
const WORDED_MAX = 1_000;

/** A JSON Pointer as steps: a number where the value has a list. */
function stepsInto(value: unknown, pointer: string): readonly PathStep[] {
  let current = value;
  return parsePointer(pointer).map((field) => {
    const step = Array.isArray(current) ? Number(field) : field;
    current = isRecord(current) || Array.isArray(current) ? Reflect.get(current, step) : undefined;
    return step;
  });
}

/** The field that is unknown or missing; the error itself stands at its parent. */
function namedField(error: ErrorObject): string | undefined {
  if (error.keyword === 'additionalProperties') return String(error.params['additionalProperty']);
  if (error.keyword === 'required') return String(error.params['missingProperty']);
  return undefined;
}

function messageOf(error: ErrorObject, parentPath: string): string {
  const limit = Number(error.params['limit']);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(String(error.params['additionalProperty']), error, parentPath);
    case 'required':
      return missingField(String(error.params['missingProperty']), error);
    case 'type':
      return wrongType(String(error.params['type']), error.data);
    case 'enum':
      return wrongWord(error, error.params['allowedValues']);
    case 'anyOf':
      return wrongWord(error, choicesOf(error));
    case 'minimum':
    case 'maximum':
      return outOfRange(error);
    case 'minLength':
    case 'minItems':
      return tooShort(lengthOf(error.data), limit);
    case 'maxLength':
      return `is ${lengthOf(error.data)} characters long; at most ${limit} are possible`;
    case 'maxItems':
    case 'maxProperties':
      return `has ${lengthOf(error.data)} items; at most ${limit} are possible`;
    case 'uniqueItems':
      return twice(error);
    case 'pattern':
      return `${quote(error.data)}: must look like ${String(error.params['pattern'])}`;
    default:
      return `${quote(error.data)}: ${error.message ?? 'does not fit the schema'}`;
  }
}

function tooShort(length: number, limit: number): string {
  return length === 0 ? 'is empty' : `is ${length} long; at least ${limit} are needed`;
}

function unknownField(field: string, error: ErrorObject, parentPath: string): string {
  const known = Object.keys(propertiesOf(error));
  const meant = didYouMean(field, known);
  if (meant !== '') return `is not a field of ${parentPath}${meant}`;
  if (known.length === 0) return `is not a field of ${parentPath}, which has none`;
  return `is not a field of ${parentPath}, which has ${known.join(', ')}`;
}

function missingField(field: string, error: ErrorObject): string {
  const schema = propertiesOf(error)[field];
  const description = isRecord(schema) ? schema['description'] : undefined;
  return `is missing${typeof description === 'string' ? `: ${description}` : ''}`;
}

function propertiesOf(error: ErrorObject): Readonly<Record<string, unknown>> {
  const properties: unknown = error.parentSchema?.['properties'];
  return isRecord(properties) ? properties : {};
}

const TYPES_IN_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
};

function wrongType(wanted: string, value: unknown): string {
  const wants = TYPES_IN_WORDS[wanted] ?? wanted;
  if (value === null) return `is empty, and must be ${wants}`;
  if (Array.isArray(value)) return `is a list, and must be ${wants}`;
  if (typeof value === 'object') return `is a group of fields, and must be ${wants}`;
  const isFraction = wanted === 'integer' && typeof value === 'number';
  const got = isFraction ? '' : `, and this is ${TYPES_IN_WORDS[typeof value] ?? typeof value}`;
  return `${quote(value)}: must be ${wants}${got}${mend(wanted, value)}`;
}

function isScalarOfOtherType({ keyword, data }: ErrorObject): boolean {
  return keyword === 'type' && data !== null && typeof data !== 'object';
}

/** The same of a value that nobody is to read. */
function unquotedType({ params, data }: ErrorObject): string {
  const wanted = String(params['type']);
  const got = TYPES_IN_WORDS[typeof data] ?? typeof data;
  const how = wanted === 'string' ? '; put it in quotes' : '';
  return `is ${got}, and must be ${TYPES_IN_WORDS[wanted] ?? wanted}${how}`;
}

function mend(wanted: string, value: unknown): string {
  if (wanted === 'string') return `; put it in quotes: "${String(value)}"`;
  if (wanted === 'array') return `; write [${String(value)}]`;
  const isNumeral = typeof value === 'string' && /^-?\d+$/.test(value);
  return wanted === 'integer' && isNumeral ? `; write ${value} without quotes` : '';
}

/** The words of `choiceOr`, and the form that others have. */
function choicesOf({ parentSchema }: ErrorObject): unknown {
  const branches: unknown = parentSchema?.['anyOf'];
  if (!Array.isArray(branches)) return [];
  return branches.flatMap((branch: unknown) => {
    if (!isRecord(branch)) return [];
    return Array.isArray(branch['enum']) ? branch['enum'] : [String(branch['pattern'])];
  });
}

function wrongWord(error: ErrorObject, allowed: unknown): string {
  const words = Array.isArray(allowed) ? allowed.map(String) : [];
  const meant = typeof error.data === 'string' ? didYouMean(error.data, words) : '';
  return `${quote(error.data)}: must be one of ${words.join(', ')}${meant}`;
}

function outOfRange(error: ErrorObject): string {
  const { minimum, maximum } = error.parentSchema ?? {};
  const range =
    minimum !== undefined && maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER
      ? `from ${String(minimum)} to ${String(maximum)}`
      : `at ${error.keyword === 'minimum' ? 'least' : 'most'} ${String(error.params['limit'])}`;
  return `${quote(error.data)}: must be ${range}`;
}

function twice(error: ErrorObject): string {
  const [first, second] = [Number(error.params['j']), Number(error.params['i'])].toSorted(
    (a, b) => a - b,
  );
  const item: unknown = Array.isArray(error.data) ? error.data[first ?? 0] : undefined;
  return `names ${quote(item)} twice, as items ${first} and ${second}; remove one`;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.length;
  return isRecord(value) ? Object.keys(value).length : 0;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
