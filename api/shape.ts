import type { Kind } from './kind.ts';
import { metadataSchema } from './metadata.ts';

/** One field of a schema, as explain and the reference show it. */
export interface Shape {
  /** `string`, `integer`, `Object`, `[]Object`, `map[string]integer`. */
  readonly type: string;
  readonly description: string;
  /** Whether a manifest must name it. */
  readonly presence: 'required' | 'optional';
  /** JSON; absent: there is none. */
  readonly default?: string;
  /** The words that it can be; empty: any. */
  readonly words: readonly string[];
  /** Bounds for people: `from 1 to 8`; empty: none worth telling. */
  readonly bounds: string;
  /** Of a group, or of the groups in a list or map, in the schema's order. */
  readonly fields: ReadonlyMap<string, Shape>;
}

/** The whole object of a kind. */
export function shapeOf(kind: Kind): Shape {
  const fixed = { presence: 'required', words: [], bounds: '', fields: new Map() } as const;
  return {
    ...fixed,
    type: 'Object',
    description: kind.description,
    fields: new Map<string, Shape>([
      ['apiVersion', { ...fixed, type: 'string', description: 'Always b8s.dev/v1.' }],
      ['kind', { ...fixed, type: 'string', description: `Always ${kind.kind}.` }],
      ['metadata', toShape(metadataSchema, 'required')],
      ['spec', toShape(kind.specSchema, 'required')],
      ['status', toShape(kind.statusSchema, 'optional')],
    ]),
  };
}

/** The keywords that the kinds use, all of them optional. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

function toShape(schema: Schema, presence: Shape['presence']): Shape {
  const isDefaulted = schema.default !== undefined;
  return {
    type: typeOf(schema),
    description: schema.description ?? '',
    presence: isDefaulted ? 'optional' : presence,
    // That an absent group counts as an empty one says nothing: its fields have their own.
    ...(isDefaulted && schema.type !== 'object' && { default: JSON.stringify(schema.default) }),
    words: wordsOf(itemOf(schema) ?? schema),
    bounds: boundsOf(schema),
    fields: fieldsOf(itemOf(schema) ?? schema),
  };
}

/** The words of a choice; one that has another form beside its words shows the words. */
function wordsOf({ enum: words, anyOf = [] }: Schema): readonly string[] {
  return (words ?? anyOf.flatMap((each) => each.enum ?? [])).map(String);
}

/** The fields that a manifest must name: those of `required` without a default. */
function fieldsOf({ properties = {}, required = [] }: Schema): ReadonlyMap<string, Shape> {
  const entries = Object.entries(properties).map(([name, field]) => {
    const presence = required.includes(name) ? 'required' : 'optional';
    return [name, toShape(field, presence)] as const;
  });
  return new Map(entries);
}

function typeOf(schema: Schema): string {
  const item = itemOf(schema);
  if (schema.type === 'array') return `[]${typeOf(item ?? {})}`;
  if (schema.type !== 'object') return schema.type ?? 'any';
  return item === undefined ? 'Object' : `map[string]${typeOf(item)}`;
}

/** What a list or a map holds. */
function itemOf(schema: Schema): Schema | undefined {
  return schema.items ?? Object.values(schema.patternProperties ?? {})[0];
}

function boundsOf({ minimum, maximum, maxItems, ...schema }: Schema): string {
  if (schema.enum !== undefined || maximum === Number.MAX_SAFE_INTEGER) return '';
  if (maximum !== undefined) return `from ${minimum} to ${maximum}`;
  return maxItems === undefined ? '' : `at most ${maxItems} items`;
}
