import { describe, expect, test } from 'vitest';
import type { KeyValue, Write } from '../../runtime/store/store.ts';
import { commitWords } from './commit-words.ts';

const LONDON = '/b8s/nodes/london';
const DIGEST = `sha256-${'a1'.repeat(32)}`;

describe('what a commit changes', () => {
  const cases: readonly {
    when: string;
    before?: Readonly<Record<string, unknown>>;
    writes: readonly Write[];
    what: string;
  }[] = [
    { when: 'something is new', writes: [put(LONDON, { a: 1 })], what: '+nodes/london' },
    { when: 'something goes', writes: [{ kind: 'delete', key: LONDON }], what: '-nodes/london' },
    {
      when: 'history is written besides',
      writes: [put(LONDON, {}), put('/b8s-history/nodes/london/1', {})],
      what: '+nodes/london',
    },
    {
      when: 'values change',
      before: { [LONDON]: { spec: { roles: ['edge'] }, status: { phase: 'Joining' } } },
      writes: [put(LONDON, { spec: { roles: ['edge', 'dns'] }, status: {} })],
      what: 'nodes/london: spec.roles edge→edge dns, status.phase Joining→nothing',
    },
    {
      when: 'a condition turns, which is known by its type',
      before: { [LONDON]: { conditions: [{ type: 'Ready', status: 'False', reason: 'A' }] } },
      writes: [
        put(LONDON, {
          conditions: [
            { type: 'New', status: 'True' },
            { type: 'Ready', status: 'True', reason: 'B' },
          ],
        }),
      ],
      what: 'nodes/london: New nothing→True, Ready False A→True B',
    },
    {
      when: 'an item of a list changes, which is known by its name',
      before: { [LONDON]: { sites: [{ name: 'docs', serving: 'a' }] } },
      writes: [
        put(LONDON, {
          sites: [
            { uid: 'u', count: 1 },
            { name: 'docs', serving: 'b' },
          ],
        }),
      ],
      what: 'nodes/london: sites[u].uid nothing→u, sites[u].count nothing→1, sites[docs].serving a→b',
    },
    {
      when: 'more changes than a line holds',
      before: { [LONDON]: { a: 1, b: 1, c: 1, d: 1, e: 1 } },
      writes: [put(LONDON, { a: 2, b: 2, c: 2, d: 2, e: 2 })],
      what: 'nodes/london: a 1→2, b 1→2, c 1→2 and 2 more',
    },
    {
      when: 'only what every write changes',
      before: { [LONDON]: { metadata: { generation: 1 } } },
      writes: [put(LONDON, { metadata: { generation: 2 } })],
      what: 'nodes/london',
    },
    {
      when: 'there are digests',
      before: { '/b8s/sites/default/blog': { release: '' } },
      writes: [put('/b8s/sites/default/blog', { release: DIGEST })],
      what: 'sites/default/blog: release →sha256-a1a1a1a1…',
    },
  ];
  test.each(cases)('$when', ({ before = {}, writes, what }) => {
    expect(commitWords({ writes }, asStored(before)).what).toBe(what);
  });
});

test.each([
  'system/material/1',
  'system/token/1',
  'system/authority/ca',
  'issuers/acme',
  'secrets/x',
])('of the values of %s nothing is told (INV-33)', (name) => {
  const key = `/b8s/${name}`;
  const told = commitWords(
    { writes: [put(key, { sealedKey: 'new secret' })] },
    asStored({ [key]: { sealedKey: 'old secret' } }),
  );
  expect(told).toEqual({ what: name, changes: { [name]: [] } });
});

function put(key: string, value: unknown): Write {
  return { kind: 'put', key, value: JSON.stringify(value) };
}

function asStored(values: Readonly<Record<string, unknown>>): ReadonlyMap<string, KeyValue> {
  return new Map(
    Object.entries(values).map(([key, value]) => [
      key,
      { key, value: JSON.stringify(value), createRevision: 2n, modRevision: 2n },
    ]),
  );
}
