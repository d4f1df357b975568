import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { TObject } from 'typebox';
import type { Declared } from './field.ts';
import type { CommonStatus, Resource } from './object.ts';

/** One thing wrong with an object, for the person who wrote it. */
export interface Violation {
  /** `spec.hosts[0]`; empty: the object as a whole. */
  readonly path: string;
  /** What is wrong and how to mend it: `"blog": needs a dot, e.g. blog.example.com`. */
  readonly message: string;
}

/** One column of `b8sctl get`. */
export interface Column<Spec = unknown, Status extends CommonStatus = CommonStatus> {
  /** Upper case. */
  readonly header: string;
  /** Shown with `-o wide` only. */
  readonly wide?: true;
  value(object: Resource<Spec, Status>, nowMs: number): string;
}

/** A kind of object: the single source of its schema, defaults, rules, columns and names. */
export interface Kind<Spec = unknown, Status extends CommonStatus = CommonStatus> {
  /** `Site`. */
  readonly kind: string;
  /** `sites`: in keys of the store and on the command line. */
  readonly plural: string;
  /** `site`. */
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'cluster' | 'namespace';
  /** One or two sentences. */
  readonly description: string;
  readonly specSchema: TObject;
  readonly statusSchema: TObject;
  /** `spec`: it can be created and deleted, but not changed. */
  readonly immutable: 'spec' | 'nothing';
  readonly columns: readonly Column<Spec, Status>[];
  /** A copy of a spec with every default filled in. The spec may be wrong; then so is the copy. */
  normalize(spec: unknown): unknown;
  /** What the schema says against a spec as a person wrote it, defaults left out or not. */
  specErrors(spec: unknown): readonly ErrorObject[];
  /** What a schema cannot say. Called only with specs that fit the schema, defaults filled in. */
  rules(object: Resource<Spec, Status>): readonly Violation[];
}

interface Definition<SpecSchema extends TObject, StatusSchema extends TObject> {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly scope: 'cluster' | 'namespace';
  readonly description: string;
  readonly immutable?: 'spec';
  readonly spec: SpecSchema;
  readonly status: StatusSchema;
  readonly rules?: (
    object: Resource<Declared<SpecSchema>, Declared<StatusSchema>>,
  ) => readonly Violation[];
  readonly columns: readonly Column<Declared<SpecSchema>, Declared<StatusSchema>>[];
}

/** Makes a kind of its definition. */
export function defineKind<SpecSchema extends TObject, StatusSchema extends TObject>(
  definition: Definition<SpecSchema, StatusSchema>,
): Kind<Declared<SpecSchema>, Declared<StatusSchema>> {
  const { spec: specSchema, status: statusSchema, ...rest } = definition;
  const check = schemaCheck(specSchema);
  return {
    ...rest,
    specSchema,
    statusSchema,
    singular: definition.kind.toLowerCase(),
    immutable: definition.immutable ?? 'nothing',
    rules: definition.rules ?? (() => []),
    normalize: (spec) => check.withDefaults(spec),
    specErrors: (spec) => check.errors(spec),
  };
}

export interface SchemaCheck {
  /** A copy of the value with every default filled in. */
  withDefaults(value: unknown): unknown;
  /** What the schema says against the value; fields with a default may be missing. */
  errors(value: unknown): readonly ErrorObject[];
}

/** A schema at work. It is compiled at first use: that takes milliseconds that few commands need. */
export function schemaCheck(schema: TObject): SchemaCheck {
  const validate = lazy(() => schemaCompiler().compile(schema));
  return {
    withDefaults(value) {
      const copy = structuredClone(value);
      validate()(copy);
      return copy;
    },
    errors(value) {
      const check = validate();
      return check(structuredClone(value)) ? [] : (check.errors ?? []);
    },
  };
}

/** The formats are for editors: rules check them, with better messages. */
const EDITOR_FORMATS = ['date-time', 'hostname', 'ipv4', 'ipv6', 'uri-reference'];

function schemaCompiler(): Ajv2020 {
  const formats = Object.fromEntries(EDITOR_FORMATS.map((name) => [name, true as const]));
  return new Ajv2020({ strict: true, allErrors: true, useDefaults: true, verbose: true, formats });
}

function lazy<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
