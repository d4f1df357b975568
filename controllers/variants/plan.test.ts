import { expect, test } from 'vitest';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import {
  COMPRESSED_FROM_BYTES,
  COMPRESSED_TO_BYTES,
} from '../../runtime/content/content-coding.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { digest, object } from '../test-scene.ts';
import {
  compressibleFiles,
  EARLIER_MAX,
  isKept,
  isUsable,
  knownIndexes,
  savedBytes,
  sitesOf,
  typesOf,
} from './plan.ts';

const A = digest('a') as Digest;
const B = digest('b') as Digest;

test.each([
  { when: 'a page', path: 'a.html', type: 'text/html;charset=utf-8', size: 1000, is: true },
  { when: 'JSON by its suffix', path: 'a', type: 'application/ld+json', size: 1000, is: true },
  { when: 'a drawing', path: 'a.svg', type: 'image/svg+xml;charset=utf-8', size: 1000, is: true },
  { when: 'WebAssembly', path: 'a.wasm', type: 'application/wasm', size: 1000, is: true },
  { when: 'a photo', path: 'a.jpg', type: 'image/jpeg', size: 1000, is: false },
  { when: 'a web font', path: 'a.woff2', type: 'font/woff2', size: 1000, is: false },
  { when: 'who knows', path: 'a', type: 'application/octet-stream', size: 1000, is: false },
  { when: 'by a Site', path: 'x/a.GLB', type: 'model/gltf-binary', size: 1000, is: true },
  { when: 'of a hidden file', path: '.glb', type: 'model/gltf-binary', size: 1000, is: true },
  { when: 'of a folder', path: 'a.glb/b', type: 'model/gltf-binary', size: 1000, is: false },
  {
    when: 'just too small',
    path: 'a',
    type: 'text/plain',
    size: COMPRESSED_FROM_BYTES - 1,
    is: false,
  },
  { when: 'small', path: 'a', type: 'text/plain', size: COMPRESSED_FROM_BYTES, is: true },
  { when: 'large', path: 'a', type: 'text/plain', size: COMPRESSED_TO_BYTES, is: true },
  { when: 'too large', path: 'a', type: 'text/plain', size: COMPRESSED_TO_BYTES + 1, is: false },
])('a file is compressed, $when: $is', ({ path, type, size, is }) => {
  const files = [{ path, digest: A, sizeBytes: size, contentType: type }];
  const types = new Map([['glb', ['model/x', 'application/json']]]);
  expect(compressibleFiles(files, types).has(A)).toBe(is);
});

test('the smallest files come first, each content once', () => {
  const file = (path: string, of: Digest, sizeBytes: number) => ({
    ...{ path, digest: of, sizeBytes, contentType: 'text/html' },
  });
  const files = [file('large', B, 9000), file('a', A, 500), file('b', A, 500)];
  expect([...compressibleFiles(files, new Map())]).toEqual([
    [A, 500],
    [B, 9000],
  ]);
});

const site = (name: string, spec: object, metadata: object = {}) =>
  object<Site>('Site', name, { hosts: [`${name}.test`], ...spec }, { metadata });
const release = (name: string, day: number, index?: string, of = 'blog') =>
  object<Release>(
    'Release',
    name,
    { site: of, files: 1, sizeBytes: 1 },
    {
      metadata: { creationTimestamp: `2026-01-0${day}T00:00:00.000Z` },
      ...(index !== undefined && {
        status: { variants: { index, done: 1, total: 1, savedBytes: 1 } },
      }),
    },
  );

test('a release is compressed for the Sites of its namespace that show it and want it', () => {
  const content = { release: A };
  const sites = [
    site('one', { content }),
    site('off', { content, compression: 'off' }),
    site('other', { content: { release: B } }),
    site('elsewhere', { content }, { namespace: 'elsewhere' }),
    site('empty', {}),
  ];
  expect(sitesOf(release(A, 1), sites).map(({ metadata }) => metadata.name)).toEqual(['one']);
});

test('types of several Sites count together', () => {
  const sites = [
    site('one', { mimeTypes: { a: 'text/a', b: 'text/b' } }),
    site('two', { mimeTypes: { a: 'text/other' } }),
    site('three', {}),
  ];
  expect([...typesOf(sites)]).toEqual([
    ['a', ['text/a', 'text/other']],
    ['b', ['text/b']],
  ]);
});

test('what is known is looked for in its own index, then in the latest of its Site', () => {
  const own = release(A, 5, 'own');
  const others = [
    release('r1', 1, 'first'),
    release('r2', 2, 'second'),
    release('r3', 3),
    release('r4', 4, 'fourth'),
    release('r6', 6, 'sixth'),
    release('r7', 7, 'of another', 'docs'),
  ];
  expect(EARLIER_MAX).toBe(3);
  expect(knownIndexes(own, [own, ...others])).toEqual(['own', 'sixth', 'fourth', 'second']);
  expect(knownIndexes(release(B, 5), [])).toEqual([]);
});

test.each([
  { source: 1000, form: 950, kept: true },
  { source: 1000, form: 951, kept: false },
  { source: 1000, form: 1000, kept: false },
  { source: 1000, form: 0, kept: false },
])('of $source bytes, a form of $form is kept: $kept', ({ source, form, kept }) => {
  expect(isKept(source, form)).toBe(kept);
  expect(isUsable([{ coding: 'br', digest: A, sizeBytes: form }], source)).toBe(kept);
});

test('what is saved goes by the shortest form of each file', () => {
  const done = new Map([
    [
      A,
      [
        { coding: 'br', digest: B, sizeBytes: 300 } as const,
        { coding: 'gzip', digest: B, sizeBytes: 400 } as const,
      ],
    ],
    [B, []],
  ]);
  const sources = new Map([
    [A, 1000],
    [B, 500],
  ]);
  expect(savedBytes(done, sources)).toBe(700);
  expect(isUsable([], 500)).toBe(true);
});
