import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Blob } from '../runtime/api-client.ts';
import { connectionOf, parseConfig } from '../runtime/client-config.ts';
import { httpsUploads } from '../runtime/node/https-upload.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { domMetric } from './support/metrics.ts';
import { freePorts } from './support/ports.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SMALL_FILES = 400;
const LARGE_BYTES = 12_000_000;

let folder: string;
let cluster: Cluster | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-ways-'));
  const site = join(folder, 'site');
  await mkdir(join(site, 'many'), { recursive: true });
  await writeFile(join(site, 'large.bin'), randomBytes(LARGE_BYTES));
  for (let index = 0; index < SMALL_FILES; index += 1)
    await writeFile(join(site, 'many', `${index}.html`), `<p>${index} `.repeat(100 + 50 * index));
});
afterEach(() => cluster?.stop());
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A dom alone, with a Site to push to. */
async function start(name: string, bin?: string): Promise<Cluster> {
  const [port = 0] = await freePorts(1);
  const dom = { address: '127.0.0.1', port };
  const place = { stateDir: join(folder, name), ...(bin !== undefined && { bin }) };
  cluster = await startCluster({ ...place, dom, nodes: [], geo: 'none' });
  const site = { metadata: { name: 'blog' }, spec: { hosts: ['blog.test'] } };
  const input = JSON.stringify({ apiVersion: 'b8s.dev/v1', kind: 'Site', ...site });
  await cluster.b8sctlOk(['apply', '-f', '-'], { input });
  return cluster;
}

async function push(to: Cluster): Promise<string> {
  const { stderr, stdout, exitCode } = await to.b8sctl([
    ...['push', join(folder, 'site'), '--site', 'blog', '--no-cache'],
  ]);
  expect(exitCode, stderr).toBe(0);
  return stderr + stdout;
}

async function cameBy(way: 'grpc' | 'http', to: Cluster): Promise<number> {
  return domMetric(to.connection(), 'b8s_uploaded_blobs_total', { way });
}

const UPLOADED = new RegExp(`${SMALL_FILES + 1} files uploaded`);

test('files come by HTTP, and of a little that changed by gRPC', async () => {
  const dom = await start('both');
  expect(await push(dom)).toMatch(UPLOADED);
  expect(await cameBy('http', dom)).toBe(SMALL_FILES + 1);
  // The list of all files.
  expect(await cameBy('grpc', dom)).toBe(1);
  await writeFile(join(folder, 'site', 'index.html'), '<h1>another</h1>');
  expect(await push(dom)).toMatch(/1 file uploaded/);
  expect(await cameBy('http', dom)).toBe(SMALL_FILES + 1);
  expect(await cameBy('grpc', dom)).toBe(3);
  await rm(join(folder, 'site', 'index.html'));
});

test('who may not write is refused either way', async () => {
  const dom = await start('refused');
  const config = join(folder, 'eve-config');
  await writeFile(config, await dom.b8sctlOk(['user', 'create', 'eve', '--role', 'viewer']));
  const why = 'user eve has the role viewer: writing needs the role admin';
  const pushing = ['--config', config, 'push', join(folder, 'site'), '--site', 'blog'];
  const pushed = await dom.b8sctl([...pushing, '--no-cache']);
  expect(pushed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(why) });
  const uploads = httpsUploads(connectionOf(parseConfig(await readFile(config, 'utf8')), ''));
  const refused = uploads.upload(oneBlob(), new AbortController().signal);
  await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message: why });
  uploads.close();
  expect((await cameBy('http', dom)) + (await cameBy('grpc', dom))).toBe(0);
});

async function* oneBlob(): AsyncGenerator<Blob> {
  const bytes = randomBytes(5_000_000);
  const digest = `sha256-${createHash('sha256').update(bytes).digest('hex')}`;
  const chunks = (async function* () {
    yield bytes;
  })();
  yield { digest, sizeBytes: bytes.length, chunks, compression: 'none' };
}

describe('a dom that does not take files by HTTP', () => {
  test.each([
    { when: 'and does not say so', name: 'older', says: false },
    { when: 'though another one there did when it was asked', name: 'changed', says: true },
  ])('$when gets them by gRPC', async ({ name, says }) => {
    const dom = await start(name, await olderDom(name, says));
    expect(await push(dom)).toMatch(UPLOADED);
    expect(await cameBy('http', dom)).toBe(0);
    expect(await cameBy('grpc', dom)).toBe(SMALL_FILES + 2);
  });
});

/** The programs, with a dom that knows nothing of the way, and may say once that it does. */
async function olderDom(name: string, saysOnce: boolean): Promise<string> {
  const bin = join(folder, `bin-${name}`);
  await mkdir(bin);
  for (const same of ['b8sctl', 'sub']) await symlink(join(ROOT, 'bin', same), join(bin, same));
  const patch = join(folder, `older-${name}.mjs`);
  await writeFile(
    patch,
    `import { registerHooks } from 'node:module';
    globalThis.askedOnce = ${!saysOnce};
    registerHooks({
      load(url, context, next) {
        if (url.endsWith('/dom/upload-port.ts'))
          return { format: 'module', shortCircuit: true, source: 'export const withUploads = (dom, otherwise) => otherwise;' };
        const loaded = next(url, context);
        if (!url.endsWith('/dom/api/service.ts')) return loaded;
        const answer = 'takesHttp: globalThis.askedOnce ? false : (globalThis.askedOnce = true)';
        return { ...loaded, source: String(loaded.source).replace('takesHttp: true', answer) };
      },
    });`,
  );
  const dom = join(bin, 'dom');
  const node = join(ROOT, 'node_modules', '.bin', 'node');
  const main = join(ROOT, 'dom', 'main.ts');
  await writeFile(dom, `#!/bin/sh\nexec "${node}" --import "${patch}" "${main}" "$@"\n`);
  await chmod(dom, 0o755);
  return bin;
}
