import { isDeepStrictEqual } from 'node:util';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Kind, schemaCheck, type Violation } from './kind.ts';
import { isKindName, kindOf, kinds } from './kinds.ts';
import { metadataRules, metadataSchema } from './metadata.ts';
import { didYouMean } from './nearest.ts';
import { API_VERSION, DEFAULT_NAMESPACE, type ObjectMeta, type Resource } from './object.ts';
import { about, aboutField } from './rules.ts';
import { isRecord, schemaViolations } from './schema-violations.ts';
import { measureJson } from './size.ts';

/** How large one object may be as JSON, in bytes: 1 MiB. */
export const OBJECT_BYTES_MAX = 1024 * 1024;

/** How deep an object may nest. */
export const OBJECT_DEPTH_MAX = 32;

/** How many violations of one object are told; more help nobody. */
export const VIOLATIONS_MAX = 50;

export type Validation =
  | { readonly kind: 'valid'; readonly object: Resource; readonly given: Given }
  | { readonly kind: 'invalid'; readonly violations: readonly Violation[] };

/** What a manifest itself says, without defaults: what its manager comes to own. */
export interface Given {
  readonly spec: unknown;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Checks an object that someone wrote. A valid one comes back with defaults filled in and with its
 * namespace; what only dom sets (uid, resourceVersion …) is kept if it was given, and else empty
 * or 0. A status is left out: nobody writes it by hand.
 */
export function validateObject(raw: unknown): Validation {
  const measure = measureJson(raw, { sizeBytesMax: OBJECT_BYTES_MAX, depthMax: OBJECT_DEPTH_MAX });
  if (measure.kind === 'tooLarge') return invalid([aboutField([], TOO_LARGE)]);
  if (measure.kind === 'tooDeep') return invalid([aboutField([], TOO_DEEP)]);
  if (!isRecord(raw)) return invalid([aboutField([], NOT_AN_OBJECT)]);
  const kind = kindNamed(raw['kind']);
  const head = headViolations(raw, kind);
  // Without its kind nothing else of an object can be judged.
  if (kind === undefined) return invalid(head);
  const { metadata, spec = {} } = raw;
  const metadataErrors = metadata === undefined ? [] : metadataCheck.errors(metadata);
  const specErrors = kind.specErrors(spec);
  const shape = [
    ...head,
    ...schemaViolations(metadataErrors, ['metadata'], metadata),
    ...schemaViolations(specErrors, ['spec'], spec, {
      quotes: kind.kind === 'Secret' ? 'nothing' : 'values',
    }),
  ];
  // Rules may trust the shapes that types promise; unknown fields do not break these.
  const isUnsound = [...metadataErrors, ...specErrors].some(isOfShape) || metadata === undefined;
  if (isUnsound) return invalid(shape);
  const object = resourceOf(raw, kind);
  const violations = [...shape, ...metadataRules(object.metadata, kind), ...kind.rules(object)];
  if (violations.length > 0) return invalid(violations);
  const { labels = {}, annotations = {} } = object.metadata;
  return { kind: 'valid', object, given: { spec, labels, annotations } };
}

/** What may not change from one version of an object to the next. */
export function validateChange(before: Resource, after: Resource): readonly Violation[] {
  const kind = kindNamed(before.kind);
  if (kind?.immutable !== 'spec' || isDeepStrictEqual(before.spec, after.spec)) return [];
  const message = `differs, and the spec of a ${kind.kind} never changes; make another object`;
  return [aboutField(['spec'], message)];
}

const TOO_LARGE = `the object is larger than ${OBJECT_BYTES_MAX} bytes (1 MiB); split it into several`;
const TOO_DEEP = `the object nests deeper than ${OBJECT_DEPTH_MAX} levels`;
const NOT_AN_OBJECT =
  'an object is a group of fields: apiVersion, kind, metadata and spec; this is something else';
const TOP_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

function invalid(violations: readonly Violation[]): Validation {
  const told = violations.slice(0, VIOLATIONS_MAX);
  const more = violations.length - told.length;
  if (more > 0) told.push(aboutField([], `and ${more} more like these`));
  return { kind: 'invalid', violations: told };
}

function kindNamed(name: unknown): Kind | undefined {
  return typeof name === 'string' && isKindName(name) ? kindOf(name) : undefined;
}

function headViolations(
  raw: Readonly<Record<string, unknown>>,
  kind: Kind | undefined,
): readonly Violation[] {
  const { apiVersion } = raw;
  const unknown = Object.keys(raw).filter((field) => !TOP_FIELDS.includes(field));
  return [
    ...(apiVersion === API_VERSION ? [] : [versionViolation(apiVersion)]),
    ...(kind === undefined ? [kindViolation(raw['kind'])] : []),
    ...(raw['metadata'] === undefined ? [aboutField(['metadata'], NO_METADATA)] : []),
    ...unknown.map((field) => unknownTopField(field, kind)),
  ];
}

const NO_METADATA = 'is missing; write metadata: { name: … }';

function versionViolation(apiVersion: unknown): Violation {
  if (apiVersion === undefined) {
    return aboutField(['apiVersion'], `is missing; write apiVersion: ${API_VERSION}`);
  }
  return about(['apiVersion'], apiVersion, `must be ${API_VERSION}`);
}

function kindViolation(name: unknown): Violation {
  const names = kinds.map((kind) => kind.kind);
  if (name === undefined)
    return aboutField(['kind'], `is missing; it is one of ${names.join(', ')}`);
  // "site" and "sites" are right on the command line, so people write them here.
  const word = typeof name === 'string' ? name : '';
  const exact = kindOf(word)?.kind;
  const meant = exact === undefined ? didYouMean(word, names) : `; write ${exact}`;
  return about(['kind'], name, `is not a kind; there are ${names.join(', ')}${meant}`);
}

function unknownTopField(field: string, kind: Kind | undefined): Violation {
  const isOfSpec = kind !== undefined && Object.hasOwn(kind.specSchema.properties, field);
  if (isOfSpec) return aboutField([field], 'belongs under spec; indent it there');
  const known = TOP_FIELDS.slice(0, 4);
  const meant = didYouMean(field, known) || `; an object has ${known.join(', ')}`;
  return aboutField([field], `is not a field of an object${meant}`);
}

const metadataCheck = schemaCheck(metadataSchema);

function isOfShape(error: ErrorObject): boolean {
  return error.keyword !== 'additionalProperties';
}

/** The object that `raw` says; `raw` must fit the schemas. */
function resourceOf(raw: Readonly<Record<string, unknown>>, kind: Kind): Resource {
  const given = raw['metadata'] as Pick<ObjectMeta, 'name'> & Partial<ObjectMeta>;
  const namespace = kind.scope === 'namespace' ? { namespace: DEFAULT_NAMESPACE } : {};
  return {
    apiVersion: API_VERSION,
    kind: kind.kind,
    metadata: { ...namespace, ...SET_BY_DOM, ...given },
    spec: kind.normalize(raw['spec'] ?? {}),
  };
}

const SET_BY_DOM = { uid: '', resourceVersion: '', generation: 0, creationTimestamp: '' } as const;
