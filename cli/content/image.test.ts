import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Fetcher } from '../../runtime/fetcher.ts';
import { nodeFiles } from '../../runtime/node/files.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { type TarEntry, tarOf } from './archives.fixture.ts';
import { readContent } from './content.ts';
import { dockerCredentials } from './docker-config.ts';
import type { LocalRelease } from './release.ts';

const HOST = 'registry.test';
const BASIC = Buffer.from('ada:secret').toString('base64');

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What there is, by URL, and who asked with what. */
let pages: Map<string, Answer | ((authorization: string) => Answer)>;
let asked: { readonly url: string; readonly authorization: string }[];
let login: string | undefined;

beforeEach(() => {
  pages = new Map();
  asked = [];
  login = undefined;
});

const fetcher: Fetcher = {
  async get(url, { headers }) {
    const authorization = headers['authorization'] ?? '';
    asked.push({ url, authorization });
    const page = pages.get(url) ?? { status: 404 };
    const {
      status = 200,
      headers: own = {},
      body = '',
    } = typeof page === 'function' ? page(authorization) : page;
    const chunks = (async function* () {
      yield Buffer.from(body);
    })();
    return { status, header: (name) => own[name], chunks };
  },
};

function read(name = `oci://${HOST}/blog:v7`): Promise<LocalRelease> {
  const registries = async () => ({ fetcher, credentials: async () => login });
  const progress = { show: () => undefined, end: () => undefined };
  const ports = { files: nodeFiles, clock: virtualClock(0), cacheFolder: undefined, registries };
  return readContent({ ...ports, progress, signal: new AbortController().signal }, name);
}

async function paths(name?: string): Promise<readonly string[]> {
  return (await read(name)).files.map(({ path }) => path).toSorted();
}

function digestOf(bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const at = (path: string): string => `https://${HOST}/v2/blog/${path}`;

function putLayer(bytes: Buffer): { readonly digest: string; readonly size: number } {
  const digest = digestOf(bytes);
  pages.set(at(`blobs/${digest}`), { body: bytes });
  return { digest, size: bytes.length };
}

function putImage(layers: readonly unknown[], tag = 'v7'): string {
  const body = JSON.stringify({ schemaVersion: 2, layers });
  pages.set(at(`manifests/${tag}`), { body });
  pages.set(at(`manifests/${digestOf(body)}`), { body });
  return digestOf(body);
}

const tar = (...names: readonly (string | TarEntry)[]): Buffer =>
  tarOf(names.map((name) => (typeof name === 'string' ? { name, body: name } : name)));

test.each([
  { packing: 'gzip', pack: gzipSync },
  { packing: 'zstd', pack: zstdCompressSync },
  { packing: 'nothing', pack: (bytes: Buffer) => bytes },
])('an image with a layer packed by $packing is its files', async ({ pack }) => {
  putImage([putLayer(Buffer.from(pack(tar('index.html', 'a/b.css'))))]);
  expect(await paths()).toEqual(['a/b.css', 'index.html']);
});

test('of several layers the topmost counts, and whiteouts hide what lies below', async () => {
  const below = tar('index.html', 'gone.html', 'old/a', 'old/b', 'deep/x/y', 'kept');
  const middle = tar(
    { name: 'index.html', body: 'newer' },
    '.wh.gone.html',
    'old/.wh..wh..opq',
    'old/c',
  );
  const above = tar('.wh.deep', { name: './kept/', type: '5' }, 'top');
  putImage([below, middle, above].map(putLayer));
  // "kept" is a folder above, and a file below: as the layers are told, it cannot be both.
  await expect(read()).rejects.toThrow('kept is a file and a folder');
  putImage([below, middle, tar('.wh.deep', 'top')].map(putLayer));
  const release = await read();
  const seen = release.files.map(({ path }) => path).toSorted();
  expect(seen).toEqual(['index.html', 'kept', 'old/c', 'top']);
  expect(release.files.find(({ path }) => path === 'index.html')?.sizeBytes).toBe(5);
});

test('of several platforms one is taken, never what is none', async () => {
  const arm = putImage([putLayer(tar('arm'))], 'arm');
  const amd = putImage([putLayer(tar('amd'))], 'amd');
  const none = { os: 'unknown', architecture: 'unknown' };
  const manifests = [
    { digest: digestOf('attestation'), platform: none },
    { digest: arm, platform: { os: 'linux', architecture: 'arm64' } },
    { digest: amd, platform: { os: 'linux', architecture: 'amd64' } },
  ];
  pages.set(at('manifests/v7'), { body: JSON.stringify({ manifests }) });
  expect(await paths()).toEqual(['amd']);
  pages.set(at('manifests/v7'), { body: JSON.stringify({ manifests: manifests.slice(0, 2) }) });
  expect(await paths()).toEqual(['arm']);
  pages.set(at('manifests/v7'), { body: JSON.stringify({ manifests: manifests.slice(0, 1) }) });
  await expect(read()).rejects.toThrow('it is for no platform');
});

test('an image is named by tag, by digest, or by neither', async () => {
  const digest = putImage([putLayer(tar('a'))], 'latest');
  expect(await paths(`oci://${HOST}/blog`)).toEqual(['a']);
  expect(await paths(`oci://${HOST}/blog@${digest}`)).toEqual(['a']);
  expect(await paths(`oci://${HOST}/blog:some@${digest}`)).toEqual(['a']);
  for (const name of [
    'oci://',
    'oci://host',
    `oci://${HOST}/../blog`,
    `oci://a@${HOST}/blog`,
    `oci://${HOST}/Blog`,
  ])
    await expect(read(name), name).rejects.toThrow(/is no image; it is called like oci:/);
});

describe('an image is refused', () => {
  const link = { name: 'bin/sh', type: '2' };
  test.each([
    {
      when: 'with a link',
      layers: () => [putLayer(tar('a', link))],
      why: 'bin/sh is a symbolic link',
    },
    {
      when: 'with an entry twice in one layer',
      layers: () => [putLayer(tar('a', 'a'))],
      why: 'a is there twice',
    },
    { when: 'without layers', layers: () => [], why: 'it has no layers; is it an image?' },
    {
      when: 'with a layer that is a picture',
      layers: () => [putLayer(Buffer.from('89504e47', 'hex'))],
      why: 'a layer of it is no tar file',
    },
    {
      when: 'with a layer that is not there',
      layers: () => [{ digest: digestOf('x'), size: 1 }],
      why: 'the registry does not have it',
    },
    {
      when: 'with a layer without a digest',
      layers: () => [{ size: 1 }, 7, null],
      why: 'without a sha256 digest',
    },
    {
      when: 'with a layer longer than told',
      layers: () => [{ ...putLayer(tar('a')), size: 5 }],
      why: 'is over 5 bytes',
    },
    {
      when: 'with too many layers',
      layers: () => Array.from({ length: 300 }, () => ({})),
      why: 'more than 256 layers',
    },
  ])('$when', async ({ layers, why }) => {
    putImage(layers());
    await expect(read()).rejects.toThrow(why);
  });

  test('whose layer came with other bytes', async () => {
    const layer = putLayer(tar('a'));
    pages.set(at(`blobs/${layer.digest}`), { body: tar('b') });
    putImage([layer]);
    await expect(read()).rejects.toThrow('came damaged; try again');
  });

  test('whose manifest came with other bytes', async () => {
    const digest = putImage([putLayer(tar('a'))]);
    pages.set(at(`manifests/${digest}`), { body: '{"layers":[]}' });
    await expect(read(`oci://${HOST}/blog@${digest}`)).rejects.toThrow(
      `the manifest ${digest} is sha256:`,
    );
  });

  test.each(['not JSON', '7', 'null', '[]', '{"manifests":[null,7,{}]}', '{"layers":{}}'])(
    'whose manifest is %s',
    async (body) => {
      pages.set(at('manifests/v7'), { body });
      await expect(read()).rejects.toMatchObject({ name: 'CommandError' });
    },
  );
});

describe('a registry that asks who we are', () => {
  const TOKENS = 'https://tokens.test/token?scope=repository%3Ablog%3Apull&service=blogs';
  const bearer = 'Bearer realm="https://tokens.test/token",service="blogs",scope="x"';

  function guard(allowed: string, challenge: string): void {
    putImage([putLayer(tar('a'))]);
    for (const [url, page] of pages)
      pages.set(url, (authorization) =>
        authorization === allowed
          ? (page as Answer)
          : { status: 401, headers: { 'www-authenticate': challenge } },
      );
  }

  test('gets a token, once', async () => {
    guard('Bearer t1', bearer);
    pages.set(TOKENS, { body: '{"token":"t1"}' });
    expect(await paths()).toEqual(['a']);
    expect(asked.map(({ authorization }) => authorization)).toEqual([
      '',
      '',
      'Bearer t1',
      'Bearer t1',
    ]);
  });

  test('gets a token for the password of docker login', async () => {
    guard('Bearer t1', bearer);
    login = BASIC;
    pages.set(TOKENS, (authorization) =>
      authorization === `Basic ${BASIC}` ? { body: '{"access_token":"t1"}' } : { status: 401 },
    );
    expect(await paths()).toEqual(['a']);
  });

  test('gets the password itself where it asks for that', async () => {
    guard(`Basic ${BASIC}`, 'Basic realm="x"');
    await expect(read()).rejects.toThrow('log in with docker login');
    login = BASIC;
    expect(await paths()).toEqual(['a']);
  });

  test('and asks for tokens in the clear, gets nothing', async () => {
    guard('Bearer t1', 'Bearer realm="http://tokens.test/token"');
    login = BASIC;
    await expect(read()).rejects.toThrow('an address that is not https');
    expect(asked.every(({ authorization }) => authorization === '')).toBe(true);
  });

  test('and redirects elsewhere, sends no password there', async () => {
    guard(`Basic ${BASIC}`, 'Basic realm="x"');
    login = BASIC;
    const layer = tar('moved');
    const digest = digestOf(layer);
    const elsewhere = 'https://store.test/layer';
    pages.set(at(`blobs/${digest}`), { status: 307, headers: { location: elsewhere } });
    pages.set(elsewhere, { body: layer });
    const body = JSON.stringify({ layers: [{ digest, size: layer.length }] });
    pages.set(at('manifests/v7'), (given) => (given === '' ? { status: 401 } : { body }));
    expect(await paths()).toEqual(['moved']);
    expect(asked.at(-1)).toEqual({ url: elsewhere, authorization: '' });
  });

  test('and redirects round and round, is left', async () => {
    pages.set(at('manifests/v7'), { status: 302, headers: { location: at('manifests/v7') } });
    await expect(read()).rejects.toThrow('redirects more than 5 times');
  });
});

test.each([
  { when: 'there is none', text: undefined, found: undefined },
  { when: 'it is for others', text: '{"auths":{"other":{"auth":"eA=="}}}', found: undefined },
  {
    when: 'a helper has it',
    text: '{"auths":{"registry.test":{}},"credsStore":"x"}',
    found: undefined,
  },
  { when: 'it is there', text: `{"auths":{"registry.test":{"auth":"${BASIC}"}}}`, found: BASIC },
  {
    when: 'it would break a header',
    text: '{"auths":{"registry.test":{"auth":"a\\r\\nb"}}}',
    found: undefined,
  },
])('of the password of docker login, when $when', ({ text, found }) => {
  expect(dockerCredentials(text, HOST)).toBe(found);
});
