import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { type Browser, browser, http2Browser, type Page } from './support/https.ts';
import { until } from './support/processes.ts';
import { describeOnStores, edgeOf, publish, siteYaml, useScene } from './support/scene.ts';

const HOST = 'forms.example.test';
const SCRIPT = 'assets/app-GoDQC6Oc.js';
const FILES: Readonly<Record<string, Buffer>> = {
  'index.html': Buffer.from(`<!doctype html><h1>forms</h1>${'<p>text</p>'.repeat(400)}`),
  '404.html': Buffer.from(`<h1>gone</h1>${'<p>nothing here</p>'.repeat(100)}`),
  // Larger than what is kept in memory, in its coded forms too.
  [SCRIPT]: Buffer.from(noise(600_000).toString('hex')),
  'photo.png': noise(5_000),
  'short.txt': Buffer.from('short'),
};
const CODINGS = ['identity', 'br', 'zstd', 'gzip'] as const;
type Coding = (typeof CODINGS)[number];

const DECODE: Readonly<Record<Coding, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  br: (bytes) => brotliDecompressSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
  gzip: (bytes) => gunzipSync(bytes),
};

await describeOnStores(
  'representations',
  (kind) => {
    const scene = useScene(kind, { name: 'representations' });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-forms-'));
    let browsers: readonly { readonly name: string; readonly client: Browser }[] = [];

    beforeAll(async () => {
      for (const [path, bytes] of Object.entries(FILES)) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        writeFileSync(join(folder, path), bytes);
      }
      const { cluster, ca } = scene();
      await cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('forms', HOST) });
      await publish(scene(), 'forms', folder);
      browsers = [
        { name: 'HTTP/1.1', client: browser(HOST, ca(), { keepAlive: true }) },
        { name: 'HTTP/2', client: http2Browser(HOST, ca(), { keepAlive: true }) },
      ];
      for (const node of scene().nodes)
        for (const file of ['index.html', '404.html', SCRIPT])
          for (const coding of ['br', 'zstd', 'gzip'])
            await until(
              `${node.name} has ${file} in ${coding}`,
              async () => {
                const page = await get(node, file, { 'accept-encoding': coding });
                return page.headers['content-encoding'] === coding;
              },
              { timeoutMs: 60_000 },
            );
    }, 240_000);
    afterAll(() => {
      for (const { client } of browsers) client.close();
      rmSync(folder, { recursive: true, force: true });
    });

    function get(
      node: NodeOptions,
      file: string,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<Page> {
      const [first] = browsers;
      if (first === undefined) throw new Error('no browser');
      return first.client.get(edgeOf(node), `/${file}`, headers);
    }

    test('each coding is that file, with a tag of its own that is equal on all nodes', async () => {
      const tags = new Map<string, Set<string>>();
      for (const { name, client } of browsers)
        for (const node of scene().nodes)
          for (const file of ['index.html', SCRIPT])
            for (const coding of CODINGS) {
              const headers = { 'accept-encoding': coding };
              const page = await client.get(edgeOf(node), `/${file}`, headers);
              const what = `${name}, ${node.name}, ${file}, ${coding}`;
              expect(page.status, what).toBe(200);
              expect(DECODE[coding](page.body).equals(FILES[file] ?? page.body), what).toBe(true);
              const sent = page.headers['content-encoding'] ?? 'identity';
              expect(sent, what).toBe(coding);
              expect(page.headers['vary'], what).toBe('accept-encoding');
              const tag = String(page.headers['etag']);
              // It names the very bytes sent.
              expect(tag, what).toBe(`"${sha256(page.body).slice(0, 32)}"`);
              const seen = tags.get(`${file} ${coding}`) ?? new Set();
              tags.set(`${file} ${coding}`, seen.add(tag));
              const again = { ...headers, 'if-none-match': tag };
              expect((await client.get(edgeOf(node), `/${file}`, again)).status).toBe(304);
            }
      expect([...tags.values()].map(({ size }) => size)).toEqual(Array(8).fill(1));
      expect(new Set([...tags.values()].map((each) => [...each][0])).size).toBe(8);
    });

    test('a download that broke off goes on in its coding, from any node and with no other', async () => {
      for (const { client } of browsers)
        for (const coding of CODINGS) {
          const [one, other] = scene().nodes.map(edgeOf);
          if (one === undefined || other === undefined) throw new Error('two nodes');
          const headers = { 'accept-encoding': coding };
          const whole = await client.get(one, `/${SCRIPT}`, headers);
          const tag = String(whole.headers['etag']);
          const half = Math.floor(whole.body.length / 2);
          const rest = { ...headers, range: `bytes=${half}-`, 'if-range': tag };
          const page = await client.get(other, `/${SCRIPT}`, rest);
          expect(page.status).toBe(206);
          const joined = Buffer.concat([whole.body.subarray(0, half), page.body]);
          expect(joined.equals(whole.body)).toBe(true);
          const elsewhere = coding === 'gzip' ? 'br' : 'gzip';
          const changed = { ...rest, 'accept-encoding': elsewhere };
          const anew = await client.get(other, `/${SCRIPT}`, changed);
          expect(anew.status).toBe(200);
          expect(anew.headers['content-encoding']).toBe(elsewhere);
        }
    });

    test('several ranges come in one body', async () => {
      const range = 'bytes=0-99,500000-500099,-100';
      const file = FILES[SCRIPT] ?? Buffer.alloc(0);
      for (const { client } of browsers) {
        const page = await client.get(edgeOf(nodeOf(scene().nodes)), `/${SCRIPT}`, { range });
        expect(page.status).toBe(206);
        expect(page.headers['content-length']).toBe(String(page.body.length));
        const boundary = /boundary=(\S+)/.exec(String(page.headers['content-type']))?.[1] ?? '?';
        const parts = page.body.toString('latin1').split(`--${boundary}`);
        expect(parts).toHaveLength(5);
        const bodies = parts.slice(1, 4).map((part) => part.split('\r\n\r\n')[1]?.slice(0, -2));
        const wanted = [
          file.subarray(0, 100),
          file.subarray(500_000, 500_100),
          file.subarray(-100),
        ];
        expect(bodies).toEqual(wanted.map((bytes) => bytes.toString('latin1')));
      }
    });

    test('names with a hash are kept for a year, errors never, and what is no text has one form', async () => {
      const node = nodeOf(scene().nodes);
      const headers = { 'accept-encoding': 'gzip, br, zstd' };
      const script = await get(node, SCRIPT, headers);
      expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      const page = await get(node, 'index.html', headers);
      expect(page.headers['cache-control']).toBe('public, max-age=0, must-revalidate');
      const gone = await get(node, 'gone', { 'accept-encoding': 'gzip' });
      expect(gone.status).toBe(404);
      expect(gunzipSync(gone.body).equals(FILES['404.html'] ?? gone.body)).toBe(true);
      expect(gone.headers['cache-control']).toBe('no-store');
      for (const file of ['photo.png', 'short.txt']) {
        const plain = await get(node, file, headers);
        expect(plain.headers['content-encoding']).toBeUndefined();
        expect(plain.headers['vary']).toBeUndefined();
        expect(plain.body.equals(FILES[file] ?? plain.body)).toBe(true);
      }
    });

    test('HEAD says what GET does', async () => {
      const { address, port } = edgeOf(nodeOf(scene().nodes));
      for (const coding of CODINGS) {
        const got = await get(nodeOf(scene().nodes), SCRIPT, { 'accept-encoding': coding });
        const url = `https://${HOST}:${port}/${SCRIPT}`;
        const to = ['--resolve', `${HOST}:${port}:${address}`];
        const accept = ['--header', `accept-encoding: ${coding}`];
        const { stdout } = await curl(['--insecure', '--silent', '--head', ...to, ...accept, url]);
        expect(stdout).toContain(`content-length: ${got.body.length}`);
        expect(stdout).toContain(`etag: ${got.headers['etag']}`);
      }
    });

    test('curl decodes what it asked for', async () => {
      for (const node of scene().nodes) {
        const { address, port } = edgeOf(node);
        const to = ['--resolve', `${HOST}:${port}:${address}`, `https://${HOST}:${port}/${SCRIPT}`];
        for (const version of ['--http1.1', '--http2']) {
          const args = ['--insecure', '--silent', '--compressed', version, ...to];
          const { stdout } = await curl(args);
          expect(stdout === FILES[SCRIPT]?.toString()).toBe(true);
        }
      }
    });

    test('the Release says how far dom is', async () => {
      const stdout = await scene().cluster.b8sctlOk(['get', 'releases', '-o', 'wide']);
      expect(stdout).toMatch(/COMPRESSED/);
      // The page, the one for 404, and the script.
      expect(stdout).toMatch(/3\/3/);
    });
  },
  ['sqlite'],
);

const run = promisify(execFile);

function curl(args: readonly string[]) {
  return run('curl', args, { maxBuffer: 10_000_000 });
}

function nodeOf(nodes: readonly NodeOptions[]): NodeOptions {
  const [node] = nodes;
  if (node === undefined) throw new Error('no node');
  return node;
}

/** The same each time. */
function noise(length: number): Buffer {
  const pieces = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash('sha256').update(`noise ${index}`).digest(),
  );
  return Buffer.concat(pieces).subarray(0, length);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
