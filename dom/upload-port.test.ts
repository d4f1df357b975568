import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Api, Blob } from '../runtime/api-client.ts';
import { blobPath, digestOf } from '../runtime/content/digest.ts';
import { type MemoryDisk, memoryDisk } from '../runtime/disk/memory-disk.ts';
import { silentLog } from '../runtime/log.ts';
import { grpcApi } from '../runtime/node/grpc/api.ts';
import { UPLOADS_PATH } from '../runtime/node/https-upload.ts';
import { operationsHandler, type PlainHandler } from '../runtime/node/plain-http.ts';
import { HOUR_MS, openTestPort, type TestPort } from '../runtime/node/test-port.ts';
import { RequestError } from '../runtime/request-error.ts';
import type { Identity } from '../runtime/tls/authority.ts';
import type { Dom, Term } from './dom.ts';
import { addServices } from './server.ts';
import { ADMIN, type DomScene, domScene, VIEWER } from './test-scene.ts';
import { withUploads } from './upload-port.ts';

const MIB = 1024 * 1024;
const NEVER = new AbortController().signal;
const NOISE = randomBytes(9 * MIB);
const FILES: readonly Buffer[] = [
  ...['', 'one', 'x'.repeat(100_000), 'two'].map((text) => Buffer.from(text)),
  NOISE,
  Buffer.alloc(5 * MIB, 'text '),
  ...Array.from({ length: 100 }, (_, index) => NOISE.subarray(index, index + 9000)),
];
const operations = operationsHandler({ isServing: () => true, renderMetrics: async () => '' });

let disk: MemoryDisk;
let scene: DomScene;
let port: TestPort;
let opened: Api[];
/** What came by HTTP. */
let requests: number;

beforeEach(async () => {
  disk = memoryDisk();
  scene = await domScene({ disk });
  opened = [];
  requests = 0;
});
afterEach(async () => {
  for (const api of opened) api.close();
  await port.close();
  scene.stop();
});

/** Dom's port, with both ways unless `http` has it otherwise. */
async function open(
  wrap: (uploads: PlainHandler) => PlainHandler = (uploads) => uploads,
  dom: Pick<Dom, 'leading'> = scene.dom,
): Promise<void> {
  const uploads = wrap(withUploads(dom, operations));
  port = await openTestPort({
    http: (request) => {
      requests += 1;
      return uploads(request);
    },
  });
  const { caPem } = port.authority;
  addServices(port.server, { dom: dom as Dom, log: silentLog, signal: NEVER, caPem });
}

async function apiOf(identity: Identity = ADMIN.identity): Promise<Api> {
  const { authority, address: server } = port;
  const { keyPem, chainPem } = await authority.issueClient({ identity, lifetimeMs: HOUR_MS });
  const connection = { server, caPem: authority.caPem, certificatePem: chainPem, keyPem };
  const api = grpcApi(connection, { requestTimeoutMs: 30_000, command: 'test' });
  opened.push(api);
  return api;
}

async function* blobsOf(
  files: readonly Buffer[],
  changes: Partial<Blob> = {},
): AsyncGenerator<Blob> {
  for (const bytes of files) {
    const from = changes.offsetBytes ?? 0;
    const chunks = (async function* () {
      for (let at = from; at < bytes.length; at += 300_000)
        yield bytes.subarray(at, Math.min(bytes.length, at + 300_000));
    })();
    const [digest, sizeBytes] = [digestOf(bytes), bytes.length];
    yield { digest, sizeBytes, chunks, compression: 'try', ...changes };
  }
}

/** Once dom was asked, which is what says how it takes them. */
async function upload(
  way: 'grpc' | 'http',
  blobs: AsyncIterable<Blob>,
  { api, signal = NEVER }: { readonly api?: Api; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const ours = api ?? (await apiOf());
  await ours.findMissingBlobs([]);
  await ours.uploadBlobs(blobs, signal, { sizeBytes: way === 'http' ? 1e9 : 1 });
  expect(requests).toBe(way === 'http' ? 1 : 0);
}

function heldBytes(bytes: Buffer): Promise<number> {
  return scene.term.blobs.heldBytes(digestOf(bytes));
}

describe.each(['grpc', 'http'] as const)('over %s', (way) => {
  test('blobs of all sizes come, compressed where that is shorter', async () => {
    await open();
    await upload(way, blobsOf(FILES));
    for (const bytes of FILES)
      expect(disk.files().get(blobPath(digestOf(bytes)))?.length).toBe(bytes.length);
    for (const bytes of FILES.slice(0, 4))
      expect(Buffer.from(await scene.term.blobs.read(digestOf(bytes))).equals(bytes)).toBe(true);
    expect([...disk.files().keys()].filter((path) => /partials|uploads/.test(path))).toEqual([]);
  });

  test('a large one that was cut goes on where it ended', async () => {
    await open();
    const stop = new AbortController();
    const cut = (async function* () {
      yield NOISE.subarray(0, 6 * MIB);
      // Until dom has what it was sent.
      const parts = () => [...disk.files()].filter(([path]) => path.startsWith('partials/'));
      await expect.poll(() => parts()[0]?.[1].length).toBeGreaterThanOrEqual(5 * MIB);
      stop.abort(new Error('interrupted'));
      yield NOISE.subarray(6 * MIB);
    })();
    const first = upload(way, blobsOf([NOISE], { chunks: cut }), { signal: stop.signal });
    await expect(first).rejects.toThrow('interrupted');
    await expect.poll(() => heldBytes(NOISE)).toBeGreaterThanOrEqual(5 * MIB);
    const offsetBytes = await heldBytes(NOISE);
    requests = 0;
    const api = await apiOf();
    const wrong = upload(way, blobsOf([NOISE], { offsetBytes: offsetBytes - 1 }), { api });
    await expect(wrong).rejects.toMatchObject({
      ...{ reason: 'Aborted', message: expect.stringContaining(`dom holds ${offsetBytes} bytes`) },
    });
    requests = 0;
    await upload(way, blobsOf([NOISE], { offsetBytes }), { api });
    expect(disk.files().get(blobPath(digestOf(NOISE)))?.length).toBe(NOISE.length);
  });

  const viewer = 'user eve has the role viewer: writing needs the role admin';
  const node = 'node london may not use this API: a node reads its plan and writes its own report';
  const other = digestOf(Buffer.from('other'));
  const london: Identity = { kind: 'node', name: 'london', uid: 'u1' };
  test.each<[string, { identity?: Identity; changes?: Partial<Blob> }, object]>([
    ['who may only read', { identity: VIEWER.identity }, { reason: 'Forbidden', message: viewer }],
    ['a node', { identity: london }, { reason: 'Forbidden', message: node }],
    [
      'bytes that are others',
      { changes: { digest: other } },
      { reason: 'Invalid', message: expect.stringMatching(`^the bytes sent as ${other} are sha`) },
    ],
    [
      'less than was told',
      { changes: { sizeBytes: 8e6 } },
      { reason: 'Invalid', message: expect.stringMatching(/ended after 9000 of 8000000 bytes/) },
    ],
  ])('%s is refused, and said why', async (_, { identity, changes }, refusal) => {
    await open();
    // Who may not ask what is missing has to be told another way.
    const answer = { digests: [], heldBytes: [], takesHttp: true };
    scene.term.api.findMissingBlobs = async () => answer;
    const api = await apiOf(identity);
    const blobs = blobsOf([NOISE.subarray(0, 9000)], changes);
    await expect(upload(way, blobs, { api })).rejects.toMatchObject(refusal);
    expect(requests).toBe(way === 'http' ? 1 : 0);
    expect([...disk.files().keys()].filter((path) => path.includes('blobs/'))).toEqual([]);
  });

  test('what dom refuses in the middle ends at once', async () => {
    await open();
    disk.limit(3 * MIB);
    const endless = (async function* () {
      for (;;) yield randomBytes(64 * 1024);
    })();
    const blobs = blobsOf([NOISE], { sizeBytes: 4e9, chunks: endless, compression: 'none' });
    await expect(upload(way, blobs)).rejects.toMatchObject({
      ...{ reason: 'InternalError', message: 'dom failed to answer; its log says why' },
    });
  });

  test('a file that cannot be read is told as it is, and leaves nothing', async () => {
    await open();
    const failing = (async function* () {
      yield Buffer.from('some');
      throw new Error('the file changed');
    })();
    const blobs = blobsOf([NOISE], { chunks: failing });
    await expect(upload(way, blobs)).rejects.toThrow('the file changed');
    expect(await heldBytes(NOISE)).toBe(0);
  });

  test('who is revoked meanwhile is refused from then on', async () => {
    await open();
    const ada: Identity = { kind: 'user', name: 'ada', role: 'admin' };
    const chunks = (async function* () {
      yield NOISE.subarray(0, MIB);
      await scene.term.api.revokeUser({ name: 'ada', unlisted: true }, ADMIN);
      yield NOISE.subarray(MIB);
    })();
    const api = await apiOf(ada);
    await expect(upload(way, blobsOf([NOISE], { chunks }), { api })).rejects.toMatchObject({
      ...{ reason: 'Unauthorized', message: expect.stringMatching(/was revoked by admin/) },
    });
  });

  test('a dom that does not lead any more says who does', async () => {
    const says = { phase: 'leads' };
    const leading = async (): Promise<Term> => {
      if (says.phase === 'leads') return scene.dom.leading();
      throw new RequestError('UNAVAILABLE', 'this dom does not lead: dom-2 does');
    };
    await open((uploads) => uploads, { leading });
    const api = await apiOf();
    await api.findMissingBlobs([]);
    says.phase = 'follows';
    const sizeBytes = way === 'http' ? 1e9 : 1;
    const late = api.uploadBlobs(blobsOf(FILES), NEVER, { sizeBytes });
    await expect(late).rejects.toMatchObject({
      ...{ reason: 'Unavailable' },
      message: 'Error from server (Unavailable): this dom does not lead: dom-2 does',
    });
  });

  test('a dom that goes away is told as such, by gRPC in the end', async () => {
    await open();
    const chunks = (async function* () {
      yield NOISE.subarray(0, MIB);
      await port.close();
      yield NOISE.subarray(MIB);
    })();
    const api = await apiOf();
    const cut = upload(way, blobsOf([NOISE], { chunks }), { api });
    const away = { reason: 'Unavailable', message: expect.stringMatching(/is dom running there/) };
    await expect(cut).rejects.toMatchObject(way === 'http' ? { reason: 'Aborted' } : away);
    await expect(api.findMissingBlobs([])).rejects.toMatchObject(away);
    const sizeBytes = way === 'http' ? 1e9 : 1;
    const again = api.uploadBlobs(blobsOf([NOISE]), NEVER, { sizeBytes });
    await expect(again).rejects.toMatchObject(away);
  });
});

test('what a stranger sends is not even read', async () => {
  await open();
  const read = (): never => {
    throw new Error('it was read');
  };
  const leading = (): Promise<Term> => Promise.reject(new Error('nobody is asked'));
  const answer = await withUploads(
    { leading },
    operations,
  )({
    ...{ method: 'POST', path: UPLOADS_PATH, identity: undefined, header: () => undefined },
    body: read,
    async *pieces() {
      yield read();
    },
  });
  expect(answer).toMatchObject({
    ...{ status: 401, headers: { 'b8s-error': 'UNAUTHENTICATED' } },
    body: 'no client certificate of this cluster was shown\n',
  });
  expect(answer.connection).toBeUndefined();
});

test('four uploads side by side mix nothing up', async () => {
  await open();
  const api = await apiOf();
  await api.findMissingBlobs([]);
  const all = Array.from({ length: 4 }, (_, index) =>
    Array.from({ length: 200 }, (_each, at) => randomBytes((index * 200 + at) * 50)),
  );
  await Promise.all(all.map((files) => api.uploadBlobs(blobsOf(files), NEVER, { sizeBytes: 1e9 })));
  for (const bytes of all.flat()) expect(await scene.term.blobs.has(digestOf(bytes))).toBe(true);
  expect(requests).toBe(4);
});

describe('a dom of which the answer does not say that it takes them by HTTP', () => {
  test('is sent them over gRPC, and asked for nothing else', async () => {
    await open();
    const { api: term } = scene.term;
    const { findMissingBlobs } = term;
    term.findMissingBlobs = async (request, caller) => {
      const { takesHttp: _, ...older } = await findMissingBlobs.call(term, request, caller);
      return { ...older, takesHttp: false };
    };
    const api = await apiOf();
    await api.findMissingBlobs([]);
    await api.uploadBlobs(blobsOf(FILES), NEVER, { sizeBytes: 1e9 });
    expect(requests).toBe(0);
    expect(await scene.term.blobs.has(digestOf(NOISE))).toBe(true);
  });

  const elsewhere = { contentType: 'text/html', body: '<h1>no such thing</h1>' } as const;
  test.each<[string, PlainHandler]>([
    ['an older dom', operations],
    ['something in between', async () => ({ ...elsewhere, status: 502 })],
    ['something that asks for a password', async () => ({ ...elsewhere, status: 401 })],
  ])('is found out also when it had been said: %s', async (_, http) => {
    await open(() => http);
    const api = await apiOf();
    await expect(upload('http', blobsOf(FILES), { api })).rejects.toMatchObject({
      reason: 'Aborted',
    });
    expect(requests).toBe(1);
    // Also if it is said again.
    await api.findMissingBlobs([]);
    await api.uploadBlobs(blobsOf(FILES), NEVER, { sizeBytes: 1e9 });
    expect(requests).toBe(1);
    expect(await scene.term.blobs.has(digestOf(NOISE))).toBe(true);
  });
});

test('what is little goes over gRPC: it is not worth a connection', async () => {
  await open();
  const api = await apiOf();
  await api.findMissingBlobs([]);
  await api.uploadBlobs(blobsOf(FILES.slice(0, 4)), NEVER, { sizeBytes: 100_000 });
  await api.uploadBlobs(blobsOf(FILES.slice(0, 4)), NEVER);
  expect(requests).toBe(0);
});
