import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readContent } from '../cli/content/content.ts';
import type { LocalRelease } from '../cli/content/release.ts';
import { systemClock } from '../runtime/node/clock.ts';
import { nodeFetcher } from '../runtime/node/fetcher.ts';
import { nodeFiles } from '../runtime/node/files.ts';
import { freePorts } from './support/ports.ts';
import { until } from './support/processes.ts';

/** Debian's docker-registry. */
const PROGRAM = '/usr/bin/docker-registry';
const FILES = 300;

let folder: string;
let registry: ReturnType<typeof spawn> | undefined;
let address: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-image-'));
  if (!existsSync(PROGRAM)) return;
  const [port = 0] = await freePorts(1);
  address = `127.0.0.1:${port}`;
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, 'registry') } },
    http: { addr: address },
  };
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config));
  registry = spawn(PROGRAM, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  const answers = () =>
    fetch(`http://${address}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until('the registry answers', answers, { timeoutMs: 20_000 });
});
afterAll(async () => {
  registry?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function read(where: string): Promise<LocalRelease> {
  const registries = async () => ({ fetcher: nodeFetcher, credentials: async () => undefined });
  const progress = { show: () => undefined, end: () => undefined };
  const ports = { files: nodeFiles, clock: systemClock(), cacheFolder: undefined, registries };
  return readContent({ ...ports, progress, signal: new AbortController().signal }, where);
}

async function push(bytes: Buffer): Promise<{ readonly digest: string; readonly size: number }> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const start = await fetch(`http://${address}/v2/site/blobs/uploads/`, { method: 'POST' });
  const url = new URL(start.headers.get('location') ?? '', `http://${address}`);
  url.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const { status } = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes), headers });
  expect(status).toBe(201);
  return { digest, size: bytes.length };
}

const OCI = 'application/vnd.oci.image';

test.skipIf(!existsSync(PROGRAM))(
  'an image in a registry is the release that its folder is',
  async () => {
    const site = join(folder, 'site');
    await mkdir(site);
    for (let index = 0; index < FILES; index += 1)
      await writeFile(join(site, `page-${index}.html`), `page ${index} `.repeat(index * 10));
    const tar = (...names: readonly string[]): Buffer =>
      execFileSync('tar', ['-cz', '-C', site, ...names], { maxBuffer: 64 * 1024 * 1024 });
    const layers = [await push(tar('page-0.html')), await push(tar('.'))];
    const config = { ...(await push(Buffer.from('{}'))), mediaType: `${OCI}.config.v1+json` };
    const mediaType = `${OCI}.layer.v1.tar+gzip`;
    const manifest = {
      ...{ schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, config },
      layers: layers.map((layer) => ({ ...layer, mediaType })),
    };
    const { status } = await fetch(`http://${address}/v2/site/manifests/v1`, {
      method: 'PUT',
      headers: { 'content-type': manifest.mediaType },
      body: JSON.stringify(manifest),
    });
    expect(status).toBe(201);
    const release = await read(`oci://${address}/site:v1`);
    expect(release.digest).toBe((await read(site)).digest);
    const missing = release.files.slice(0, 7).map(({ digest }) => ({ digest, heldBytes: 0 }));
    const got: string[] = [];
    for await (const { digest, chunks } of release.blobs(missing)) {
      const hash = createHash('sha256');
      for await (const chunk of chunks) hash.update(chunk);
      expect(`sha256-${hash.digest('hex')}`).toBe(digest);
      got.push(digest);
    }
    expect(got.toSorted()).toEqual(missing.map(({ digest }) => digest).toSorted());
    await expect(read(`oci://${address}/site:v2`)).rejects.toThrow('does not have it');
  },
);
