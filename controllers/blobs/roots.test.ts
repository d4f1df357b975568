import { describe, expect, test } from 'vitest';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { encodeVariants } from '../../runtime/content/variants.ts';
import { digest, object } from '../test-scene.ts';
import { readRoot, rootsOf } from './roots.ts';

const [A, B, C, D, E] = ['a', 'b', 'c', 'd', 'e'].map((digit) => digest(digit) as Digest) as [
  Digest,
  Digest,
  Digest,
  Digest,
  Digest,
];
const release = (name: string, status?: object) =>
  object<Release>('Release', name, { site: 'blog', files: 1, sizeBytes: 1 }, status && { status });
const site = (spec: object, status: object) =>
  object<Site>('Site', 'blog', { hosts: ['a.test'], ...spec }, { status });
const variants = { index: C, done: 1, total: 1, savedBytes: 1 };
const rollout = { release: B, from: D, verified: 0, total: 0, startedAt: '' };

const cases: readonly {
  readonly when: string;
  readonly named: Partial<Parameters<typeof rootsOf>[0]>;
  /** Digest, what it names, whose it is. */
  readonly roots: readonly (readonly [string, string, string | undefined])[];
}[] = [
  { when: 'nothing is there', named: {}, roots: [] },
  {
    when: 'a Release is there, whoever serves it',
    named: { releases: [release(A)] },
    roots: [[A, 'files', 'Release']],
  },
  {
    when: 'it has compressed forms',
    named: { releases: [release(A, { variants })] },
    roots: [
      [A, 'files', 'Release'],
      [C, 'forms', undefined],
    ],
  },
  {
    when: 'a Site serves what was deleted, some edges ahead of others',
    named: {
      sites: [site({}, { release: A, ahead: [{ release: E, switchedAt: '', nodes: ['n'] }] })],
    },
    roots: [
      [A, 'files', 'Site'],
      [E, 'files', 'Site'],
    ],
  },
  {
    when: 'a rollout came from what was deleted',
    named: { sites: [site({}, { rollout })] },
    roots: [
      [B, 'files', 'Site'],
      [D, 'files', 'Site'],
    ],
  },
  {
    when: 'a Site has previews of what was deleted',
    named: {
      sites: [
        site({ previews: { domain: 'p.test' } }, { previews: [{ release: A, url: '', ready: 0 }] }),
      ],
    },
    roots: [[A, 'files', 'Site']],
  },
  {
    when: 'a spec names what nobody has declared: it may be anything',
    named: { sites: [site({ content: { release: A } }, {})] },
    roots: [[A, 'files', undefined]],
  },
  {
    when: 'both name the same',
    named: {
      sites: [site({ content: { release: A } }, { release: A })],
      releases: [release(A)],
    },
    roots: [[A, 'files', 'Release']],
  },
  {
    when: 'there is a geography database',
    named: { geo: { databases: [{ digest: B, sizeBytes: 1 }] } },
    roots: [[B, 'nothing', undefined]],
  },
  {
    when: 'a Site names the blob of a database as its release',
    named: {
      sites: [site({ content: { release: B } }, {})],
      geo: { databases: [{ digest: B, sizeBytes: 1 }] },
    },
    roots: [
      [B, 'files', undefined],
      [B, 'nothing', undefined],
    ],
  },
];

test.each(cases)('roots when $when', ({ named, roots }) => {
  const found = rootsOf({ sites: [], releases: [], geo: undefined, ...named });
  expect(found.map((each) => [each.digest, each.names, each.owner?.kind])).toEqual(roots);
});

describe('what a root names', () => {
  const file = { path: 'a', digest: A, sizeBytes: 1, contentType: 'text/plain' };
  const form = { coding: 'br', digest: C, sizeBytes: 1 } as const;

  test('of a manifest, its files', () => {
    const manifest = encodeManifest([file, { ...file, path: 'b', digest: B }]);
    expect(readRoot({ digest: E, names: 'files' }, manifest)).toEqual({
      kind: 'read',
      digests: [A, B],
    });
  });

  test('of an index, the forms: their files are of the manifest', () => {
    const index = encodeVariants(new Map([[A, [form]]]));
    expect(readRoot({ digest: E, names: 'forms' }, index)).toEqual({ kind: 'read', digests: [C] });
  });

  test.each([
    { when: 'is none', names: 'files', why: 'line 1: is not ended' },
    { when: 'is no index', names: 'forms', why: 'line 1: is not ended' },
  ] as const)('nobody knows where one $when', ({ names, why }) => {
    const read = readRoot({ digest: E, names }, Buffer.from('b8s-release 2'));
    expect(read).toEqual({ kind: 'unreadable', why });
  });
});
