import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../runtime/content/digest.ts';
import type { Files } from '../../runtime/disk/files.ts';
import { nodeFiles } from '../../runtime/node/files.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { readContent } from './content.ts';
import type { LocalRelease } from './release.ts';
import { rulesWarning } from './rules-warning.ts';
import { uploadRelease } from './upload.ts';

const DAY_MS = 86_400_000;
const LONG_NAME = `${'a-rather-long-name-'.repeat(8)}.html`;
const BIG = Buffer.alloc(300_000, 'big and bigger ');
const quiet = { show: () => undefined, end: () => undefined };
const NEVER = new AbortController().signal;

let base: string;
let site: string;
let clock: VirtualClock;
let api: FakeApi;
let read: string[];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'b8s-content-'));
  site = join(base, 'site');
  // A day after the files were written.
  clock = virtualClock(Date.now() + DAY_MS);
  api = new FakeApi(clock);
  await mkdir(join(site, 'deep', 'er'), { recursive: true });
  await writeFile(join(site, 'index.html'), '<h1>hello</h1>');
  await writeFile(join(site, 'deep', 'er', 'é.css'), 'body {}');
  await writeFile(join(site, 'deep', 'copy.html'), '<h1>hello</h1>');
  await writeFile(join(site, 'empty'), '');
  await writeFile(join(site, LONG_NAME), 'long');
  await writeFile(join(site, 'big.bin'), BIG);
});
afterEach(async () => {
  await rm(base, { recursive: true });
});

/** The real files, noting which are read. */
function files(changes: Partial<Files> = {}): Files {
  read = [];
  return {
    ...nodeFiles,
    stream(path, range) {
      read.push(path.slice(base.length + 1));
      return nodeFiles.stream(path, range);
    },
    ...changes,
  };
}

function content(
  where: string,
  options: { readonly files?: Files; readonly cacheFolder?: string } = {},
): Promise<LocalRelease> {
  const registries = () => Promise.reject(new Error('no registry is there'));
  const ports = {
    registries,
    files: options.files ?? files(),
    clock,
    progress: quiet,
    signal: NEVER,
  };
  return readContent({ ...ports, cacheFolder: options.cacheFolder }, where);
}

function upload(release: LocalRelease): ReturnType<typeof uploadRelease> {
  const target = { api, clock, progress: quiet, signal: NEVER };
  return uploadRelease(target, release, { namespace: 'default', name: 'blog' });
}

const TOOLS = [
  { packed: 'site.tar', command: ['tar', '-cf', '../site.tar', '.'] },
  { packed: 'pax.tar', command: ['tar', '--format=pax', '-cf', '../pax.tar', '.'] },
  {
    packed: 'ustar.tar',
    command: ['tar', '--format=ustar', '-cf', '../ustar.tar', '--exclude=a-*', '.'],
  },
  { packed: 'site.tar.gz', command: ['tar', '-czf', '../site.tar.gz', '.'] },
  { packed: 'site.tar.zst', command: ['tar', '--zstd', '-cf', '../site.tar.zst', '.'] },
  { packed: 'site.zip', command: ['zip', '-qr', '../site.zip', '.'] },
  { packed: 'plain.zip', command: ['zip', '-qr0', '../plain.zip', '.'] },
  { packed: 'streamed.zip', command: ['sh', '-c', 'zip -qr - . | cat > ../streamed.zip'] },
] as const;

describe.each(TOOLS)('$packed, as its tool makes it', ({ packed, command: [command, ...args] }) => {
  test('is the release that its folder is, and brings dom the same blobs', async () => {
    if (packed === 'ustar.tar') await rm(join(site, LONG_NAME));
    execFileSync(command, args, { cwd: site });
    const folder = await content(site);
    const archive = await content(join(base, packed));
    expect(archive.digest).toBe(folder.digest);
    const uploaded = await upload(archive);
    expect(uploaded.uploadedFiles).toBe(packed === 'ustar.tar' ? 4 : 5);
    expect(api.blobs.get(digestOf(BIG))).toEqual(BIG);
    expect(await upload(folder)).toEqual({ uploadedFiles: 0, uploadedBytes: 0 });
  });

  test('goes on with a file of which dom holds the beginning', async () => {
    execFileSync(command, args, { cwd: site });
    const release = await content(join(base, packed));
    await upload(release);
    api.blobs.delete(digestOf(BIG));
    api.partials.set(digestOf(BIG), BIG.subarray(0, 200_000));
    api.uploadedBytes = 0;
    expect(await upload(release)).toEqual({ uploadedFiles: 1, uploadedBytes: 100_000 });
    expect(api.uploadedBytes).toBe(100_000);
    expect(api.blobs.get(digestOf(BIG))).toEqual(BIG);
  });
});

test.each(TOOLS)('what edges will skip of the rules in $packed is told', async (tool) => {
  const [command, ...args] = tool.command;
  await writeFile(join(site, '_redirects'), '/old /new\n/nowhere\n');
  if (tool.packed === 'ustar.tar') await rm(join(site, LONG_NAME));
  execFileSync(command, args, { cwd: site });
  const told = await rulesWarning(await content(join(base, tool.packed)));
  expect(told).toMatch(/^_redirects:2: "\/nowhere" leads nowhere/u);
  expect(await rulesWarning(await content(site))).toBe(told);
});

describe('a folder', () => {
  test('goes on with a file of which dom holds the beginning', async () => {
    const release = await content(site);
    api.partials.set(digestOf(BIG), BIG.subarray(0, 200_000));
    const { uploadedBytes } = await upload(release);
    expect(uploadedBytes).toBe(release.sizeBytes - 200_000 - '<h1>hello</h1>'.length);
    expect(api.blobs.get(digestOf(BIG))).toEqual(BIG);
  });

  test.each([
    {
      when: 'grows',
      change: () => appendFile(join(site, 'big.bin'), 'more'),
      why: 'big.bin changed while it was published; push again',
    },
    {
      when: 'changes in place',
      change: () => writeFile(join(site, 'big.bin'), Buffer.alloc(BIG.length, 'other')),
      why: 'big.bin changed after it was hashed; push again',
    },
  ])('of which a file $when after it was hashed is not published', async ({ change, why }) => {
    const release = await content(site);
    await change();
    await expect(upload(release)).rejects.toThrow(why);
    expect(api.objects()).toEqual([]);
  });

  test.each([
    { when: 'is written to', change: (path: string) => appendFile(path, 'x'), what: 'index.html' },
    { when: 'is removed', change: (path: string) => rm(path), what: 'index.html' },
    { when: 'appears', change: () => writeFile(join(site, 'new'), ''), what: 'site' },
  ])('in which a file $when while it is read is refused', async ({ change, what }) => {
    let changed = false;
    const changing = files({
      async *stream(path, range) {
        yield* nodeFiles.stream(path, range);
        if (changed || !path.endsWith('index.html')) return;
        changed = true;
        await change(path);
      },
    });
    const refused = content(site, { files: changing });
    await expect(refused).rejects.toThrow(`${what} changed while it was read; try again`);
  });
});

describe('with a cache', () => {
  const cached = () => content(site, { cacheFolder: join(base, 'cache') });

  test('a second push reads no file, and sends none', async () => {
    const first = await cached();
    await upload(first);
    const again = await cached();
    expect(read).toEqual([]);
    expect(again.digest).toBe(first.digest);
    expect(await upload(again)).toEqual({ uploadedFiles: 0, uploadedBytes: 0 });
  });

  test('what has changed is read, also when size and time of writing were put back', async () => {
    const first = await cached();
    const path = join(site, 'index.html');
    const { atime, mtime } = await stat(path);
    await writeFile(path, '<h1>HELLO</h1>');
    await utimes(path, atime, mtime);
    const second = await cached();
    expect(read).toEqual(['site/index.html']);
    expect(second.digest).not.toBe(first.digest);
    expect((await cached()).digest).toBe(second.digest);
    expect(read).toEqual([]);
  });

  test('a file that took the place of another is read', async () => {
    await cached();
    const path = join(site, 'index.html');
    await cp(path, join(base, 'copy'), { preserveTimestamps: true });
    await rm(path);
    await cp(join(base, 'copy'), path, { preserveTimestamps: true });
    await cached();
    expect(read).toEqual(['site/index.html']);
  });

  test('a file that was changed just before it was read is read again', async () => {
    const { ctimeMs } = await stat(join(site, 'index.html'));
    clock = virtualClock(ctimeMs + 1000);
    await cached();
    await cached();
    expect(read).toHaveLength(6);
  });

  test('of a folder that lies elsewhere nothing is known', async () => {
    await cached();
    await cp(site, join(base, 'other'), { recursive: true, preserveTimestamps: true });
    await content(join(base, 'other'), { cacheFolder: join(base, 'cache') });
    expect(read).toHaveLength(6);
  });

  test.each([
    { when: 'it is nonsense', spoil: () => '\0\0\0' },
    {
      when: 'it is of another version',
      spoil: (text: string) => text.replace('b8s-hashes 1', 'b8s-hashes 9'),
    },
    { when: 'it is cut', spoil: (text: string) => text.slice(0, 40) },
  ])('that cannot be read files are, when $when', async ({ spoil }) => {
    const { digest } = await cached();
    const name = (await nodeFiles.list(join(base, 'cache')))[0]?.name ?? '';
    const path = join(base, 'cache', name);
    await writeFile(path, spoil((await nodeFiles.readText(path)) ?? ''));
    expect((await cached()).digest).toBe(digest);
    expect(read).toHaveLength(6);
  });

  test('that cannot be written the folder is published all the same', async () => {
    await writeFile(join(base, 'cache'), 'a file');
    expect((await cached()).files).toHaveLength(6);
  });
});
