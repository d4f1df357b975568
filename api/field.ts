import type {
  Static,
  TArray,
  TBoolean,
  TInteger,
  TNumber,
  TObject,
  TProperties,
  TRecord,
  TSchema,
  TString,
  TUnsafe,
  Type,
} from 'typebox';

/**
 * The vocabulary that the kinds are written in. Every field has a description: `explain`, the
 * reference and editors show it.
 *
 * A field with a default is written as required: it is there in every object that dom holds, so
 * the type says so, while a manifest may leave it out. `schema.ts` and `explain.ts` take such
 * fields out of `required` again for those who write manifests.
 */

/** What a schema declares, as plain readonly data. */
export type Declared<Schema extends TSchema> = DeepReadonly<Static<Schema>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/**
 * Only typebox's types are used: they read a schema's type off its text. Its code would say the
 * same JSON and take 80 ms and 15 MB of each command that starts.
 */
function schemaOf<Schema extends TSchema>(json: object): Schema {
  return json as Schema;
}

/** Marks a field that `group` does not require; invisible in the schema itself. */
const OPTIONAL = Symbol('optional');

interface TextOptions {
  readonly default?: string;
  readonly pattern?: string;
  readonly format?: 'date-time' | 'hostname' | 'ipv4' | 'ipv6' | 'uri-reference';
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Texts are bounded even where a kind says nothing. */
const TEXT_LENGTH_MAX = 4096;

export function text(description: string, options: TextOptions = {}): TString {
  return schemaOf({ type: 'string', maxLength: TEXT_LENGTH_MAX, ...options, description });
}

interface NumberOptions {
  readonly minimum: number;
  readonly maximum: number;
  readonly default?: number;
}

export function integer(description: string, options: NumberOptions): TInteger {
  return schemaOf({ type: 'integer', ...options, description });
}

export function decimal(description: string, options: NumberOptions): TNumber {
  return schemaOf({ type: 'number', ...options, description });
}

/** True or false; false when left out. */
export function flag(description: string): TBoolean {
  return schemaOf({ type: 'boolean', default: false, description });
}

/** A flag that is left out unless somebody says it. */
export function mark(description: string): TBoolean {
  return schemaOf({ type: 'boolean', description });
}

/** One of a few words. */
export function choice<const Words extends readonly string[]>(
  description: string,
  words: Words,
  options: { readonly default?: Words[number] } = {},
): TUnsafe<Words[number]> {
  return schemaOf({ type: 'string', enum: [...words], ...options, description });
}

/** One of a few words, or another that has a certain form. */
export function choiceOr<const Words extends readonly string[]>(
  description: string,
  words: Words,
  { pattern }: { readonly pattern: string },
): TString {
  const anyOf = [{ enum: [...words] }, { pattern }];
  return schemaOf({ type: 'string', maxLength: TEXT_LENGTH_MAX, anyOf, description });
}

/** One of a few integers. */
export function numberChoice<const Numbers extends readonly number[]>(
  description: string,
  numbers: Numbers,
  options: { readonly default?: Numbers[number] } = {},
): TUnsafe<Numbers[number]> {
  return schemaOf({ type: 'integer', enum: [...numbers], ...options, description });
}

interface ListOptions<Item> {
  readonly minItems?: number;
  readonly maxItems: number;
  readonly uniqueItems?: true;
  readonly default?: Item[];
}

/** A list; managers own it as a whole. */
export function list<Item extends TSchema>(
  description: string,
  item: Item,
  options: ListOptions<Static<Item>>,
): TArray<Item> {
  return schemaOf({ type: 'array', items: item, ...options, description });
}

/** Names that the writer chooses, each with a value of one type. */
export function map<Value extends TSchema>(
  description: string,
  value: Value,
  options: { readonly maxProperties: number },
): TRecord<'^.*$', Value> {
  const patternProperties = { '^.*$': value };
  return schemaOf({ type: 'object', patternProperties, ...options, description });
}

/** A group of fields; a field that it does not name is an error. */
export function group<Fields extends TProperties>(
  description: string,
  fields: Fields,
  options: { readonly default?: Record<string, never> } = {},
): TObject<Fields> {
  const required = Object.keys(fields).filter(
    (name) => !Object.hasOwn(fields[name] ?? {}, OPTIONAL),
  );
  return schemaOf({
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: fields,
    ...options,
    additionalProperties: false,
    description,
  });
}

/** A field that may be absent from the object that dom holds. */
export function optional<Schema extends TSchema>(
  schema: Schema,
): ReturnType<typeof Type.Optional<Schema>> {
  return schemaOf(Object.defineProperty({ ...schema }, OPTIONAL, { value: true }));
}

/** The bounds of a count. */
export const COUNT = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

/** The bounds of a time to live, in seconds. */
export const TTL_S = { minimum: 1, maximum: 86_400 } as const;

/** A moment as RFC 3339 says it: `2026-01-31T12:00:00Z`. */
export function time(description: string): TString {
  return text(`${description} RFC 3339.`, { format: 'date-time', maxLength: 40 });
}

const conditionSchema = group('One aspect of what was observed.', {
  type: text('The aspect, e.g. Ready.'),
  status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
  reason: text('Why, as one CamelCase word for scripts.'),
  message: text('Why, as a sentence for people.', { maxLength: 32_768 }),
  lastTransitionTime: time('When `status` last changed.'),
  observedGeneration: optional(integer('The generation of the spec that it speaks of.', COUNT)),
});

const commonStatusFields = {
  observedGeneration: optional(
    integer('The generation of the spec that the conditions speak of.', COUNT),
  ),
  conditions: optional(
    list('The aspects of what was observed, one per type.', conditionSchema, { maxItems: 32 }),
  ),
};

/** The status of a kind: its own fields, and those that every status has. */
export function statusGroup<Fields extends TProperties>(
  fields: Fields,
): TObject<typeof commonStatusFields & Fields> {
  return group('What was observed. Written by b8s, never by hand.', {
    ...commonStatusFields,
    ...fields,
  });
}
