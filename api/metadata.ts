import type { TObject } from 'typebox';
import { COUNT, choice, group, integer, list, map, optional, text, time } from './field.ts';
import type { Kind, Violation } from './kind.ts';
import { ANNOTATIONS_BYTES_MAX, LABELS_MAX, labelKeyProblem, labelValueProblem } from './labels.ts';
import { labelNameProblem, objectNameProblem } from './names.ts';
import type { ObjectMeta } from './object.ts';
import { about, aboutField, check } from './rules.ts';

/** How many annotations one object may have. */
const ANNOTATIONS_MAX = 256;

const ownerSchema = group('An object that this one goes with.', {
  kind: text('Its kind.'),
  name: text('Its name.'),
  uid: text('Its uid.'),
});

const managedFieldsSchema = group('The fields that one manager set.', {
  manager: text('Who: b8sctl, or a controller.'),
  operation: choice('How.', ['apply', 'update']),
  time: time('When it last changed them.'),
  fields: list('JSON Pointers of the fields.', text('A JSON Pointer.'), { maxItems: 100_000 }),
});

/** `metadata` as people write it: only the name is needed. */
export const metadataSchema: TObject = group('What the object is called, and by whom it is kept.', {
  name: text('Its name: lower-case letters, digits, "-" and "."; unique in its namespace.'),
  namespace: optional(text('Its namespace. Left out: `default`. Cluster-scoped kinds have none.')),
  labels: optional(
    map('Words to select objects by.', text('A value of at most 63 characters.'), {
      maxProperties: LABELS_MAX,
    }),
  ),
  annotations: optional(
    map('Notes for people and tools.', text('A text.', { maxLength: ANNOTATIONS_BYTES_MAX }), {
      maxProperties: ANNOTATIONS_MAX,
    }),
  ),
  uid: optional(text('Set by dom; another object of the same name has another one.')),
  resourceVersion: optional(text('Set by dom: the revision that last changed the object.')),
  generation: optional(integer('Set by dom: grows with each change of spec.', COUNT)),
  creationTimestamp: optional(time('Set by dom: when the object was created.')),
  deletionTimestamp: optional(time('Set by dom: when someone asked for its deletion.')),
  finalizers: optional(
    list('What must be done before the object can go.', text('A finalizer.'), {
      maxItems: 32,
      uniqueItems: true,
    }),
  ),
  ownerReferences: optional(
    list('Objects that this one goes with.', ownerSchema, { maxItems: 32 }),
  ),
  managedFields: optional(
    list('Set by dom: who set which fields.', managedFieldsSchema, { maxItems: 256 }),
  ),
});

/** What the schema cannot say of metadata. */
export function metadataRules(metadata: ObjectMeta, kind: Kind): readonly Violation[] {
  return [
    ...check(['metadata', 'name'], metadata.name, objectNameProblem),
    ...namespaceViolations(metadata.namespace, kind),
    ...labelViolations(metadata.labels ?? {}),
    ...annotationViolations(metadata.annotations ?? {}),
  ];
}

function namespaceViolations(namespace: string | undefined, kind: Kind): readonly Violation[] {
  if (namespace === undefined) return [];
  if (kind.scope === 'namespace')
    return check(['metadata', 'namespace'], namespace, labelNameProblem);
  return [
    about(['metadata', 'namespace'], namespace, `a ${kind.kind} has no namespace; remove the line`),
  ];
}

function labelViolations(labels: Readonly<Record<string, string>>): readonly Violation[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...keyViolations('labels', key),
    ...check(['metadata', 'labels', key], value, labelValueProblem),
  ]);
}

function annotationViolations(annotations: Readonly<Record<string, string>>): readonly Violation[] {
  const entries = Object.entries(annotations);
  const sizeBytes = entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  const tooLarge =
    sizeBytes > ANNOTATIONS_BYTES_MAX
      ? [
          aboutField(
            ['metadata', 'annotations'],
            `are ${sizeBytes} bytes together; at most ${ANNOTATIONS_BYTES_MAX} are possible`,
          ),
        ]
      : [];
  return [...tooLarge, ...entries.flatMap(([key]) => keyViolations('annotations', key))];
}

function keyViolations(field: 'labels' | 'annotations', key: string): readonly Violation[] {
  const problem = labelKeyProblem(key);
  return problem === undefined ? [] : [aboutField(['metadata', field, key], problem)];
}
