import { ageColumn, nameColumn, several } from './column.ts';
import { type Declared, group, map, statusGroup, text } from './field.ts';
import { defineKind, type Violation } from './kind.ts';
import type { Resource } from './object.ts';
import { about, aboutField } from './rules.ts';

/** What is shown in place of a value; written back, it means the value that dom holds. */
export const SEALED = '(sealed)';

/** Of one value as it is written, in bytes. */
export const SECRET_BYTES_MAX = 64 * 1024;
const VALUES_MAX = 64;
/** Sealed, a value is longer by a third and its nonce. */
const SEALED_LENGTH_MAX = 96 * 1024;

export const secretSpecSchema = group('The values.', {
  data: map(
    'The values by name, as text.',
    text('A value. Nobody can read it back: it is shown as "(sealed)".', {
      maxLength: SEALED_LENGTH_MAX,
    }),
    { maxProperties: VALUES_MAX },
  ),
});

export const secretStatusSchema = statusGroup({});

export type SecretSpec = Declared<typeof secretSpecSchema>;
export type SecretStatus = Declared<typeof secretStatusSchema>;
/** Values that are encrypted at rest and never shown. */
export type Secret = Resource<SecretSpec, SecretStatus>;

export const secretKind = defineKind({
  kind: 'Secret',
  plural: 'secrets',
  shortNames: [],
  scope: 'namespace',
  description:
    'Values that others refer to by name. Encrypted at rest, and never shown again: not by `get`, not in history, logs or events.',
  spec: secretSpecSchema,
  status: secretStatusSchema,
  rules: (secret) => Object.entries(secret.spec.data).flatMap(entryViolations),
  columns: [
    nameColumn,
    { header: 'KEYS', value: (secret) => several(Object.keys(secret.spec.data).toSorted(), 4) },
    ageColumn,
  ],
});

/** A message never repeats the value. */
function entryViolations([key, value]: readonly [string, string]): readonly Violation[] {
  const path = ['spec', 'data', key];
  if (!/^[A-Za-z0-9._-]{1,253}$/.test(key))
    return [about(path, key, 'must be letters, digits, ".", "_" and "-", at most 253')];
  if (value === '') return [aboutField(path, 'is empty: leave it out, or write a value')];
  return [];
}
