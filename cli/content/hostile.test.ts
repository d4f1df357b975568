import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileEntry, Files } from '../../runtime/disk/files.ts';
import { nodeFiles } from '../../runtime/node/files.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import {
  paxHeader,
  type TarEntry,
  tarEntry,
  tarOf,
  type ZipEntry,
  zipOf,
} from './archives.fixture.ts';
import { readContent } from './content.ts';
import type { LocalRelease } from './release.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-hostile-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function read(path: string, files: Files = nodeFiles): Promise<LocalRelease> {
  const progress = { show: () => undefined, end: () => undefined };
  const signal = new AbortController().signal;
  const registries = () => Promise.reject(new Error('no registry is there'));
  const ports = { registries, files, clock: virtualClock(0), cacheFolder: undefined };
  return readContent({ ...ports, progress, signal }, path);
}

async function readBytes(bytes: Uint8Array): Promise<LocalRelease> {
  const path = join(folder, 'archive');
  await writeFile(path, bytes);
  return read(path);
}

const GOOD = { name: 'index.html', body: '<h1>hello</h1>' };
const LONG = 'x'.repeat(1025);

/** Names that no archive may have, whatever holds them. */
const NAMES = [
  {
    when: 'an absolute path',
    names: ['/etc/passwd'],
    why: '/etc/passwd has an absolute path; make it relative',
  },
  { when: 'a path of Windows', names: ['C:\\x.html'], why: 'has an absolute path' },
  {
    when: 'a path that leaves the root',
    names: ['../x.html'],
    why: '../x.html has a part ".."; rename it',
  },
  { when: 'a path that goes up and down', names: ['a/../../x'], why: 'has a part ".."' },
  { when: 'a path with an empty part', names: ['a//x'], why: 'has an empty part' },
  { when: 'a backslash', names: ['a\\x.html'], why: 'has a backslash; rename it' },
  { when: 'a line feed', names: ['a\nx.html'], why: 'a\\nx.html has a control character' },
  { when: 'an escape sequence', names: ['\u001b[2Jx'], why: 'has a control character' },
  {
    when: 'two names that differ in case',
    names: ['a/Logo.png', 'a/logo.png'],
    why: 'a/logo.png and a/Logo.png differ only in case; rename one',
  },
  {
    when: 'two that differ in case beyond ASCII',
    names: ['É.html', 'é.html'],
    why: 'differ only in case',
  },
  {
    when: 'two that differ in normal form',
    names: ['caf\u00e9', 'cafe\u0301'],
    why: 'is there twice; remove one',
  },
  {
    when: 'a file that is a folder in other case',
    names: ['a', 'A/x'],
    why: /A\/x lies in what is a file, too|a is a file and a folder/,
  },
  {
    when: 'a folder that is a file in other case',
    names: ['A/x', 'a'],
    why: 'a is a file and a folder',
  },
] as const;

describe.each(NAMES)('with $when', ({ names, why }) => {
  test('a tar is refused', async () => {
    await expect(readBytes(tarOf([GOOD, ...names.map((name) => ({ name }))]))).rejects.toThrow(why);
  });

  test('a zip is refused', async () => {
    await expect(readBytes(zipOf([GOOD, ...names.map((name) => ({ name }))]))).rejects.toThrow(why);
  });
});

/** No file system can hold the others. */
const NAMES_IN_FOLDERS = NAMES.filter(({ names }) =>
  names.every((name) => !/^\/|^[A-Z]:|\.\.|\/\//u.test(name)),
);

test.each(NAMES_IN_FOLDERS)('a folder with $when is refused', async ({ names, why }) => {
  for (const name of names) {
    await mkdir(dirname(join(folder, 'site', name)), { recursive: true });
    await writeFile(join(folder, 'site', name), '');
  }
  await expect(read(join(folder, 'site'))).rejects.toThrow(why);
});

interface TarCase {
  readonly when: string;
  readonly entries: readonly TarEntry[];
  readonly why: string | RegExp;
}

describe('a tar is refused', () => {
  const cases: readonly TarCase[] = [
    {
      when: 'with a symbolic link',
      entries: [{ name: 'a', type: '2' }],
      why: 'a is a symbolic link; replace it by what it points to',
    },
    {
      when: 'with a hard link',
      entries: [{ name: 'a', type: '1' }],
      why: 'a is a hard link; pack the file itself',
    },
    {
      when: 'with a character device',
      entries: [{ name: 'a', type: '3' }],
      why: 'a is a device; remove it',
    },
    { when: 'with a block device', entries: [{ name: 'a', type: '4' }], why: 'a is a device' },
    {
      when: 'with a named pipe',
      entries: [{ name: 'a', type: '6' }],
      why: 'a is a named pipe; remove it',
    },
    {
      when: 'with a sparse file of GNU',
      entries: [{ name: 'a', type: 'S' }],
      why: 'a is a sparse file',
    },
    {
      when: 'with a sparse file of pax',
      entries: [paxHeader({ 'GNU.sparse.major': '1' }), { name: 'a' }],
      why: 'a is a sparse file; pack it without --sparse',
    },
    {
      when: 'with a type that nobody knows',
      entries: [{ name: 'a', type: 'V' }],
      why: 'a is neither a file nor a folder',
    },
    {
      when: 'with an entry twice',
      entries: [GOOD, GOOD],
      why: 'index.html is there twice; remove one',
    },
    {
      when: 'with an entry twice by another spelling',
      entries: [GOOD, { name: './index.html' }],
      why: 'is there twice',
    },
    {
      when: 'with a name that is not UTF-8',
      entries: [{ name: Buffer.from([0xff]) }],
      why: 'has a name that is not UTF-8; rename it',
    },
    {
      when: 'with NUL in a name',
      entries: [paxHeader({ path: 'a\0b' }), { name: 'a' }],
      why: 'has a control character',
    },
    {
      when: 'with a name that is too long',
      entries: [paxHeader({ path: LONG }), { name: 'a' }],
      why: 'is longer than 1024 bytes; rename it',
    },
    {
      when: 'with a long name of GNU that leaves the root',
      entries: [{ name: 'L', type: 'L', body: '../x\0' }, { name: 'a' }],
      why: '../x has a part ".."',
    },
    {
      when: 'with a name of pax that leaves the root',
      entries: [paxHeader({ path: '../x' }), { name: 'a' }],
      why: '../x has a part ".."',
    },
    {
      when: 'with a long name for the link before a good one',
      entries: [
        { name: 'K', type: 'K', body: 'x\0' },
        { name: 'a', type: '2' },
      ],
      why: 'a is a symbolic link',
    },
    {
      when: 'with a file that is too large',
      entries: [paxHeader({ size: '4294967297' }), { name: 'a' }],
      why: 'a is over 4294967296 bytes; split it',
    },
    {
      when: 'with a size of nonsense',
      entries: [paxHeader({ size: '-1' }), { name: 'a' }],
      why: 'a is over 4294967296 bytes',
    },
    {
      when: 'with an extended header of gigabytes',
      entries: [{ name: 'x', type: 'x', sizeBytes: 2 ** 31 }],
      why: 'extended header of 2147483648 bytes',
    },
    {
      when: 'with an extended header of nonsense',
      entries: [{ name: 'x', type: 'x', body: '999 path=a\n' }, { name: 'a' }],
      why: 'damaged extended header',
    },
    {
      when: 'with a checksum that does not fit',
      entries: [GOOD, { name: 'b', badChecksum: true }],
      why: 'damaged after index.html',
    },
    {
      when: 'that ends in an entry',
      entries: [GOOD, { name: 'b', sizeBytes: 5000 }],
      why: 'ends in the middle of b',
    },
    {
      when: 'without an entry',
      entries: [{ name: './', type: '5' }],
      why: 'holds no files to publish',
    },
  ];
  test.each(cases)('$when', async ({ entries, why }) => {
    await expect(readBytes(tarOf(entries))).rejects.toThrow(why);
  });

  test('with more files than a release may have', async () => {
    const files = Array.from({ length: 100_001 }, (_, index) => tarEntry({ name: String(index) }));
    await expect(readBytes(gzipSync(Buffer.concat(files)))).rejects.toThrow(
      'more than 100000 files',
    );
  });

  test('with more folders than any site has', async () => {
    const one = tarEntry({ name: 'a/', type: '5' });
    const many = gzipSync(Buffer.concat(Array.from({ length: 400_001 }, () => one)));
    await expect(readBytes(many)).rejects.toThrow('more than 400000 entries');
  });

  test.each([
    { packing: 'gzip', pack: (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }) },
    { packing: 'zstd', pack: (bytes: Uint8Array) => zstdCompressSync(bytes) },
  ])('that is a bomb packed by $packing', async ({ pack }) => {
    const zeros = Buffer.alloc(300 * 1024 * 1024);
    const header = tarEntry({ name: 'zeros', sizeBytes: zeros.length });
    const bomb = pack(Buffer.concat([header, zeros]));
    await expect(readBytes(bomb)).rejects.toThrow('unpacks to more than 200 times its size');
  });

  test.each([
    {
      when: 'a gzip that is cut',
      bytes: gzipSync(tarOf([GOOD])).subarray(0, 60),
      why: /cut short/,
    },
    {
      when: 'a zstd that is cut',
      bytes: zstdCompressSync(tarOf([GOOD])).subarray(0, 60),
      why: /cut short/,
    },
    { when: 'a gzip of nonsense', bytes: Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]), why: /damaged/ },
    {
      when: 'xz',
      bytes: Buffer.from('fd377a585a0000', 'hex'),
      why: /packed by xz; give a folder, \.tar,/,
    },
    {
      when: 'a picture',
      bytes: Buffer.from('89504e470d0a1a0a', 'hex'),
      why: /is no archive; give/,
    },
    { when: 'nothing', bytes: Buffer.alloc(0), why: /is no archive/ },
  ])('that is $when', async ({ bytes, why }) => {
    await expect(readBytes(bytes)).rejects.toThrow(why);
  });
});

interface ZipCase {
  readonly when: string;
  readonly entries: readonly ZipEntry[];
  readonly why: string;
}

describe('a zip is refused', () => {
  const cases: readonly ZipCase[] = [
    {
      when: 'with a symbolic link',
      entries: [{ name: 'a', mode: 0o120_777 }],
      why: 'a is a symbolic link',
    },
    { when: 'with a device', entries: [{ name: 'a', mode: 0o020_666 }], why: 'a is a device' },
    {
      when: 'with a named pipe',
      entries: [{ name: 'a', mode: 0o010_666 }],
      why: 'a is a named pipe',
    },
    {
      when: 'with a socket',
      entries: [{ name: 'a', mode: 0o140_666 }],
      why: 'a is neither a file nor a folder',
    },
    {
      when: 'with an encrypted file',
      entries: [{ name: 'a', flags: 1 }],
      why: 'a is encrypted; pack it without a password',
    },
    { when: 'with an entry twice', entries: [GOOD, GOOD], why: 'index.html is there twice' },
    { when: 'with NUL in a name', entries: [{ name: 'a\0b' }], why: 'has a control character' },
    {
      when: 'with a name that is too long',
      entries: [{ name: LONG }],
      why: 'is longer than 1024 bytes',
    },
    {
      when: 'with a name that is not UTF-8',
      entries: [{ name: Buffer.from([0xff]) }],
      why: 'not UTF-8',
    },
    {
      when: 'with two names for an entry',
      entries: [{ name: 'a', localName: 'b' }],
      why: '"a" has another name in its own header',
    },
    {
      when: 'with an entry that is longer than told',
      entries: [{ ...GOOD, sizeBytes: 3 }],
      why: '"index.html" is longer than the directory says',
    },
    {
      when: 'with an entry that is shorter than told',
      entries: [{ ...GOOD, sizeBytes: 300 }],
      why: '"index.html" is damaged',
    },
    {
      when: 'with a checksum that does not fit',
      entries: [{ ...GOOD, crc: 1 }],
      why: '"index.html" is damaged',
    },
    {
      when: 'packed by LZMA',
      entries: [{ ...GOOD, method: 14 }],
      why: 'is packed by method 14; use deflate',
    },
    {
      when: 'with entries that share their bytes',
      entries: [GOOD, { ...GOOD, name: 'b', overlaps: true }],
      why: 'lie in the same bytes',
    },
    {
      when: 'that says to unpack to terabytes',
      entries: Array.from({ length: 300 }, (_, i) => ({ name: String(i), sizeBytes: 4e9 })),
      why: 'unpacks to more than 200 times its size',
    },
    { when: 'without an entry', entries: [], why: 'holds no files to publish' },
  ];
  test.each(cases)('$when', async ({ entries, why }) => {
    await expect(readBytes(zipOf(entries))).rejects.toThrow(why);
  });

  test('with more files than a release may have', async () => {
    const files = Array.from({ length: 100_001 }, (_, i) => ({ name: String(i), method: 0 }));
    await expect(readBytes(zipOf(files))).rejects.toThrow('more than 100000 files');
  });

  test('with more entries than any site has', async () => {
    const one = { name: 'a/', method: 0, overlaps: true } as const;
    const many = [GOOD, ...Array.from({ length: 400_000 }, () => one)];
    await expect(readBytes(zipOf(many))).rejects.toThrow('more than 400000 entries');
  });

  test.each([
    { when: 'that is cut', bytes: zipOf([GOOD]).subarray(0, 60), why: 'it has no end' },
    {
      when: 'whose start is gone',
      bytes: Buffer.concat([zipOf([]).subarray(0, 4), zipOf([GOOD]).subarray(30)]),
      why: 'pack it again',
    },
    {
      when: 'whose directory is nonsense',
      bytes: spoiled(zipOf([GOOD])),
      why: 'its directory is damaged',
    },
  ])('$when', async ({ bytes, why }) => {
    await expect(readBytes(bytes)).rejects.toThrow(why);
  });
});

function spoiled(zip: Buffer): Buffer {
  const at = zip.indexOf(Buffer.from('504b0102', 'hex'));
  return zip.fill(0, at, at + 4);
}

describe('a folder is refused', () => {
  const under = (name: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${folder}/site/`), Buffer.from(name)]);

  test.each([
    {
      when: 'a link in it',
      make: () => symlink('index.html', under('link')),
      why: 'link is a symbolic link; replace it',
    },
    {
      when: 'a link that leaves it',
      make: () => symlink('/etc', under('link')),
      why: 'is a symbolic link',
    },
    {
      when: 'a named pipe',
      make: async () => void execFileSync('mkfifo', [String(under('pipe'))]),
      why: 'pipe is neither a file nor a folder; remove it',
    },
    {
      when: 'a socket',
      make: () => leaveSocket(String(under('socket'))),
      why: 'socket is neither a file nor a folder',
    },
    {
      when: 'a file whose name is not UTF-8',
      make: () => writeFile(under(Buffer.from([0x63, 0xe9])), 'x'),
      why: 'has a name that is not UTF-8; rename it',
    },
    {
      when: 'a folder whose name is not UTF-8',
      make: () => mkdir(under(Buffer.from([0x63, 0xe9]))),
      why: 'has a name that is not UTF-8; rename it',
    },
    {
      when: 'a path that is too long',
      make: async () => {
        const deep = String(under(Array(5).fill('x'.repeat(250)).join('/')));
        await mkdir(deep, { recursive: true });
        await writeFile(join(deep, 'page'), 'x');
      },
      why: 'is longer than 1024 bytes; rename it',
    },
    {
      when: 'folders that nest too deeply',
      make: () => mkdir(under(Array(514).fill('x').join('/')), { recursive: true }),
      why: /is longer than 1024 bytes|nests too deeply/,
    },
  ])('with $when', async ({ make, why }) => {
    await mkdir(join(folder, 'site'));
    await writeFile(join(folder, 'site', 'index.html'), 'x');
    await make();
    await expect(read(join(folder, 'site'))).rejects.toThrow(why);
  });

  test('with more files than a release may have', async () => {
    const many = Array.from({ length: 100_001 }, (_, index): FileEntry => {
      return { name: String(index), kind: 'file', sizeBytes: 0 };
    });
    const refused = read('/many', {
      ...nodeFiles,
      kind: () => Promise.resolve('folder'),
      list: () => Promise.resolve(many),
    });
    await expect(refused).rejects.toThrow('more than 100000 files');
  });
});

/** What a program leaves behind that listened there and was killed. */
async function leaveSocket(path: string): Promise<void> {
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await new Promise((ended) => spawn(process.execPath, ['-e', code]).once('exit', ended));
}

test('whatever becomes of an archive on its way, it is refused or read, and nothing hangs', async () => {
  const whole = [
    tarOf([
      paxHeader({ path: 'é.html' }),
      GOOD,
      { name: 'a/', type: '5' },
      { name: 'a/b', body: 'b' },
    ]),
    zipOf([GOOD, { name: 'a/', method: 0 }, { name: 'a/b', body: 'b', method: 0 }]),
    gzipSync(tarOf([GOOD])),
  ];
  let seed = 1;
  const draw = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 400; round += 1) {
    const bytes = Buffer.from(whole[round % whole.length] ?? []);
    for (let change = draw(4); change >= 0; change -= 1) bytes[draw(bytes.length)] = draw(256);
    const cut = draw(3) === 0 ? draw(bytes.length) : bytes.length;
    await readBytes(bytes.subarray(0, cut)).catch((error: unknown) => {
      expect(error, `round ${round}`).toMatchObject({ name: 'CommandError' });
    });
  }
});
