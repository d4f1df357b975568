import { beforeEach, expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { encodeVariants } from '../../runtime/content/variants.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { World } from '../../runtime/store/world.ts';
import { BlobAccess } from './access.ts';
import { Blobs } from './blobs.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const LONDON = { kind: 'node', name: 'london', uid: 'uid-london' } as const;

let blobs: Blobs;
let objects: Resource[];
let reads: number;
let access: BlobAccess;

beforeEach(() => {
  const disk = memoryDisk();
  blobs = new Blobs(disk, random);
  reads = 0;
  const read = blobs.read.bind(blobs);
  blobs.read = (digest) => {
    reads += 1;
    return read(digest);
  };
  objects = [
    {
      apiVersion: 'b8s.dev/v1',
      kind: 'Node',
      metadata: { name: 'london', uid: 'uid-london' } as Resource['metadata'],
      spec: { roles: ['edge'] },
    },
  ];
  const world = {
    get revision() {
      return BigInt(objects.length);
    },
    get: (kind: string, { name }: { name: string }) =>
      objects.find((each) => each.kind === kind && each.metadata.name === name),
    list: (kind: string) => objects.filter((each) => each.kind === kind),
    record: () => undefined,
  } as unknown as World;
  access = new BlobAccess(world, blobs);
});

async function put(text: string | Uint8Array): Promise<string> {
  const bytes = Buffer.from(text);
  const digest = digestOf(bytes);
  await blobs.put(
    digest,
    (async function* () {
      yield bytes;
    })(),
  );
  return digest;
}

/** A Site with a release of one file; returns the file's digest. */
async function site(name: string, text: string): Promise<string> {
  const digest = digestOf(Buffer.from(text));
  const file = { path: 'index.html', digest, sizeBytes: text.length, contentType: 'text/html' };
  named(name, await put(encodeManifest([file])));
  return digest;
}

function named(name: string, release: string): void {
  objects.push({
    apiVersion: 'b8s.dev/v1',
    kind: 'Site',
    metadata: { name } as Resource['metadata'],
    spec: { hosts: [], content: { release } },
  });
}

/** The last release that was named has this index. */
function noted(index: string): void {
  const { content } = (objects.at(-1)?.spec ?? {}) as { content?: { release: string } };
  objects.push({
    apiVersion: 'b8s.dev/v1',
    kind: 'Release',
    metadata: { name: content?.release } as Resource['metadata'],
    spec: {},
    status: { variants: { index, done: 1, total: 1, savedBytes: 1 } } as object,
  });
}

test('an edge may fetch the files of every release, and nothing else', async () => {
  const file = await site('blog', 'hello');
  expect(await access.allowed(LONDON, file)).toBe(true);
  expect(await access.allowed(LONDON, digestOf(Buffer.from('secret')))).toBe(false);
});

test('an edge may fetch the compressed forms of a release, once there are some', async () => {
  const file = digestOf(Buffer.from('hello'));
  const form = digestOf(Buffer.from('hllo'));
  await site('blog', 'hello');
  const index = await put(
    encodeVariants(new Map([[file, [{ coding: 'br', digest: form, sizeBytes: 4 }]]])),
  );
  expect(await access.allowed(LONDON, index)).toBe(false);
  expect(await access.allowed(LONDON, form)).toBe(false);
  noted(index);
  expect(await access.allowed(LONDON, index)).toBe(true);
  expect(await access.allowed(LONDON, form)).toBe(true);
  expect(await access.allowed(LONDON, file)).toBe(true);
});

test('what is no index of forms names none', async () => {
  await site('blog', 'hello');
  const index = await put('b8s-release 1\n');
  noted(index);
  expect(await access.allowed(LONDON, digestOf(Buffer.from('x')))).toBe(false);
  expect(await access.allowed(LONDON, index)).toBe(true);
});

test('a certificate of an earlier node of that name opens nothing', async () => {
  const file = await site('blog', 'hello');
  expect(await access.allowed({ ...LONDON, uid: 'another' }, file)).toBe(false);
});

test('a Site that names what is no release keeps no other Site from its files', async () => {
  named('broken', await put('<html>'));
  const file = await site('blog', 'hello');
  expect(await access.allowed(LONDON, file)).toBe(true);
});

test('what is too large for a manifest is not even read', async () => {
  const large = `sha256-${'0'.repeat(64)}`;
  named('video', large);
  blobs.sizeOf = async (digest) => (digest === large ? 4_000_000_000 : 100);
  expect(await access.allowed(LONDON, digestOf(Buffer.from('x')))).toBe(false);
  expect(reads).toBe(0);
});

test('the files of one release are found with one look, however many Sites there are', async () => {
  for (let count = 0; count < 100; count += 1) await site(`site-${count}`, `page ${count}`);
  const file = await site('last', 'hello');
  await access.allowed(LONDON, file);
  reads = 0;
  for (let count = 0; count < 10; count += 1) await access.allowed(LONDON, file);
  expect(reads).toBe(0);
});
