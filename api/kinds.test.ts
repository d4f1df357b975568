import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import { kindOf, kinds, kindsByName, namesOf } from './kinds.ts';
import type { Resource } from './object.ts';
import { renderReference } from './reference.ts';
import { editorSchema } from './schema.ts';
import { validateChange, validateObject } from './validate.ts';

test.each(['Site', 'site', 'SITES', 'si', 'sites.b8s.dev', 'site.b8s.dev'])(
  '%s means Site',
  (name) => {
    expect(kindOf(name)?.kind).toBe('Site');
  },
);

test.each(['', 'b8s.dev', '.b8s.dev', 'constructor', 'sit', 'sites.example.com'])(
  '"%s" means nothing',
  (name) => {
    expect(kindOf(name)).toBeUndefined();
  },
);

test('no name means two kinds', () => {
  const names = kinds.flatMap(namesOf);
  expect(new Set(names).size).toBe(names.length);
});

test('every field has a description', () => {
  const bare = kinds.flatMap((kind) => [
    ...fieldsWithout(kind.specSchema, `${kind.singular}.spec`),
    ...fieldsWithout(kind.statusSchema, `${kind.singular}.status`),
  ]);
  expect(bare).toEqual([]);
});

function fieldsWithout(schema: object, path: string): readonly string[] {
  const {
    description = '',
    properties = {},
    items,
  } = schema as { description?: string; properties?: Record<string, object>; items?: object };
  const own = description === '' ? [path] : [];
  const inner = Object.entries(properties).flatMap(([name, field]) =>
    fieldsWithout(field, `${path}.${name}`),
  );
  return [...own, ...inner, ...(items === undefined ? [] : fieldsWithout(items, `${path}[]`))];
}

function resource(kind: string, spec: unknown, status?: object): Resource {
  const metadata = {
    name: 'n',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return {
    apiVersion: 'b8s.dev/v1',
    kind,
    metadata,
    spec: kindOf(kind)?.normalize(spec),
    ...(status && { status }),
  };
}

const NOW_MS = Date.parse('2026-01-03T04:00:00Z');
const ready = {
  conditions: [
    { type: 'Ready', status: 'True' as const, reason: 'Ok', message: '', lastTransitionTime: '' },
  ],
};

test.each([
  {
    kind: 'Node',
    spec: { ipv4: ['192.0.2.1'], unschedulable: true },
    status: { ...ready, agentVersion: '0.1.0' },
    row: 'n True,Cordoned edge,nameserver 192.0.2.1 2d4h 0.1.0',
  },
  { kind: 'Node', spec: {}, row: 'n Unknown edge,nameserver <none> 2d4h <unknown>' },
  {
    kind: 'Site',
    spec: { hosts: ['a.b', 'c.d', 'e.f'] },
    status: {
      ...ready,
      release: `sha256-${'0123456789abcdef'.repeat(4)}`,
      rollout: { release: '', verified: 7, total: 9, startedAt: '' },
    },
    row: 'n a.b,c.d + 1 more True 0123456789ab 7/9 2d4h',
  },
  {
    kind: 'Release',
    spec: { site: 'blog', files: 12, sizeBytes: 1_300_000 },
    row: 'n blog 12 1.2MiB 2d4h',
  },
  {
    kind: 'Zone',
    spec: { origin: 'example.com' },
    status: { ...ready, serial: 7, servedBy: { current: 2, total: 3 } },
    row: 'n example.com 7 True 2/3 2d4h',
  },
  { kind: 'Issuer', spec: { ca: {} }, status: ready, row: 'n ca True 2d4h' },
  {
    kind: 'Certificate',
    spec: { names: ['a.b'], issuer: 'internal' },
    status: { ...ready, notAfter: '2026-02-02T04:00:00Z', renewalTime: '2026-01-01T00:00:00Z' },
    row: 'n True a.b internal 30d now <none>',
  },
  {
    kind: 'Repository',
    spec: { url: 'https://git.example.com/a.git' },
    status: {
      ...ready,
      lastAppliedCommit: '0123456789abcdef0123456789abcdef01234567',
      subject: `Say ${'more '.repeat(20)}`,
      driftCount: 3,
    },
    row: `n True 0123456 Say ${'more '.repeat(9)}… 2d4h 3`,
  },
  { kind: 'Repository', spec: { url: 'git://a/b' }, row: 'n Unknown <none> <none> 2d4h 0' },
  {
    kind: 'Event',
    spec: {
      regarding: { kind: 'Site', name: 'blog' },
      type: 'Warning',
      reason: 'Slow',
      message: 'It is slow.',
      source: { component: 'sub' },
      count: 2,
      firstTime: '2026-01-03T03:00:00Z',
      lastTime: '2026-01-03T03:59:30Z',
    },
    row: '30s Warning Slow site/blog It is slow.',
  },
])('a row of $kind', ({ kind, spec, status, row }) => {
  const columns = (kindOf(kind)?.columns ?? []).filter((column) => column.wide !== true);
  const object = resource(kind, spec, status);
  expect(columns.map((column) => column.value(object, NOW_MS)).join(' ')).toBe(row);
});

test('a release never changes', () => {
  const spec = { site: 'blog', files: 1, sizeBytes: 1 };
  expect(validateChange(resource('Release', spec), resource('Release', { ...spec }))).toEqual([]);
  expect(
    validateChange(resource('Release', spec), resource('Release', { ...spec, files: 2 })),
  ).toEqual([
    {
      path: 'spec',
      message: 'differs, and the spec of a Release never changes; make another object',
    },
  ]);
});

test('what dom holds is valid when it is applied again', () => {
  const site = validateObject({ ...resource('Site', { hosts: ['a.example.com'] }), status: ready });
  expect(site).toMatchObject({
    kind: 'valid',
    object: { metadata: { uid: 'u', resourceVersion: '1' } },
  });
});

test('an object of 1 MiB is too large, whatever its kind', () => {
  const text = 'x'.repeat(1024 * 1024);
  expect(validateObject({ kind: 'Whatever', text })).toEqual({
    kind: 'invalid',
    violations: [
      {
        path: '',
        message: 'the object is larger than 1048576 bytes (1 MiB); split it into several',
      },
    ],
  });
});

test('of a thousand mistakes fifty are told', () => {
  const records = Array.from({ length: 1000 }, (_, index) => ({
    name: `n${index}`,
    type: 'A',
    values: ['x'],
  }));
  const raw = {
    apiVersion: 'b8s.dev/v1',
    kind: 'Zone',
    metadata: { name: 'z' },
    spec: { origin: 'example.com', records },
  };
  const validation = validateObject(raw);
  const violations = validation.kind === 'invalid' ? validation.violations : [];
  expect(violations).toHaveLength(51);
  expect(violations.at(-1)?.message).toBe('and 950 more like these');
});

test('explain shows a field as kubectl does', () => {
  expect(explain('sites.spec.tls')).toEqual({
    kind: 'text',
    text: `KIND:     Site
VERSION:  b8s.dev/v1

FIELD: tls <Object>

DESCRIPTION:
    Where the certificate of the site comes from.

FIELDS:
  issuer <string> (default "internal")
    An Issuer, by name; \`internal\` is the built-in CA.

  secret <string>
    Instead of any Issuer: a Secret with a certificate of your own, see
    Certificate.
`,
  });
});

test.each([
  { path: 'sit', says: 'there is no kind "sit"; did you mean "site"?' },
  { path: 'site.spec.hots', says: '"hots" is not a field of site.spec; did you mean "hosts"?' },
  { path: 'site.spec.ttl.x', says: '"x" is not a field of site.spec.ttl, which has none' },
])('explain of $path', ({ path, says }) => {
  expect(explain(path)).toEqual({ kind: 'error', message: says });
});

test('the editor schema takes what dom takes', () => {
  const check = new Ajv2020({ strict: false, validateFormats: false }).compile(
    editorSchema() as object,
  );
  const site = { apiVersion: 'b8s.dev/v1', kind: 'Site', metadata: { name: 'a' } };
  expect(check({ ...site, spec: { hosts: ['a.example.com'] } })).toBe(true);
  expect(check({ ...site, spec: { hots: [] } })).toBe(false);
  expect(check({ ...site, kind: 'Sight', spec: {} })).toBe(false);
});

const REFERENCE = join(import.meta.dirname, '..', 'docs', 'reference');

test.each(Object.values(kindsByName))('docs/reference/$plural.md is fresh (make gen)', (kind) => {
  expect(readFileSync(join(REFERENCE, `${kind.plural}.md`), 'utf8')).toBe(renderReference(kind));
});

test('docs/reference/b8s.schema.json is fresh (make gen)', () => {
  const text = readFileSync(join(REFERENCE, 'b8s.schema.json'), 'utf8');
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(editorSchema())));
});
