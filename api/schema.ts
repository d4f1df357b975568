import type { Kind } from './kind.ts';
import { kinds } from './kinds.ts';
import { metadataSchema } from './metadata.ts';
import { API_VERSION } from './object.ts';
import { isRecord } from './schema-violations.ts';

/**
 * One JSON Schema (2020-12) of every kind, for editors: as manifests are written, so fields with a
 * default may be left out. An editor is told by `# yaml-language-server: $schema=b8s.schema.json`.
 */
export function editorSchema(): unknown {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://b8s.dev/b8s.schema.json',
    title: 'b8s',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata'],
    properties: { kind: { enum: kinds.map((kind) => kind.kind) } },
    // By kind rather than oneOf: an editor then complains about the field, not about every kind.
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind.kind } }, required: ['kind'] },
      // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
      then: { $ref: `#/$defs/${kind.kind}` },
    })),
    $defs: {
      metadata: asWritten(metadataSchema),
      ...Object.fromEntries(kinds.map((kind) => [kind.kind, objectSchema(kind)])),
    },
  };
}

function objectSchema(kind: Kind): unknown {
  return {
    type: 'object',
    description: kind.description,
    properties: {
      apiVersion: { const: API_VERSION },
      kind: { const: kind.kind },
      metadata: { $ref: '#/$defs/metadata' },
      spec: asWritten(kind.specSchema),
      status: asWritten(kind.statusSchema),
    },
    required: ['apiVersion', 'kind', 'metadata'],
    additionalProperties: false,
  };
}

/** The schema with fields that have a default taken out of `required`, all the way down. */
function asWritten(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asWritten);
  if (!isRecord(schema)) return schema;
  const { required, ...rest } = schema;
  const copy = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, asWritten(value)]),
  );
  if (!Array.isArray(required))
    return isRecord(required) ? { ...copy, required: asWritten(required) } : copy;
  const needed = required.filter((name) => !hasDefault(schema['properties'], String(name)));
  return needed.length === 0 ? copy : { ...copy, required: needed };
}

function hasDefault(properties: unknown, name: string): boolean {
  const field = isRecord(properties) ? properties[name] : undefined;
  return isRecord(field) && field['default'] !== undefined;
}
