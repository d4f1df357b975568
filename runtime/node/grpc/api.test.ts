import { zstdDecompressSync } from 'node:zlib';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  ApiServiceService,
  Clashes,
  type UploadBlobRequest,
  Violations,
} from '../../../proto/gen/b8s/v1/api.ts';
import type { Api, Blob } from '../../api-client.ts';
import type { Connection } from '../../client-config.ts';
import { DOM_SERVER_NAME } from '../../tls/server-names.ts';
import { systemClock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import { createAuthority, generateCa } from '../tls/authority.ts';
import { grpcApi } from './api.ts';

const HOUR_MS = 3_600_000;
const ports = { clock: systemClock(), random: systemRandom() };
const NEVER = new AbortController().signal;

let connection: Connection;
let server: Server;
/** What the server does with each call, set by each test. */
let handlers: Record<string, (call: never, callback: never) => void>;
let api: Api;

beforeAll(async () => {
  const ca = await generateCa({ ...ports, name: 'test' });
  const authority = await createAuthority({ ...ca, ...ports });
  const [dom, admin] = await Promise.all([
    authority.issueServer({
      names: [DOM_SERVER_NAME],
      keyType: 'ecdsa-p256',
      lifetimeMs: HOUR_MS,
    }),
    authority.issueClient({
      identity: { kind: 'user', name: 'admin', role: 'admin' },
      lifetimeMs: HOUR_MS,
    }),
  ]);
  const implementation = Object.fromEntries(
    Object.keys(ApiServiceService).map((name) => [
      name,
      (call: never, callback: never) => handlers[name]?.(call, callback),
    ]),
  );
  server = new Server();
  server.addService(ApiServiceService, implementation as UntypedServiceImplementation);
  const pair = { cert_chain: Buffer.from(dom.chainPem), private_key: Buffer.from(dom.keyPem) };
  const tls = ServerCredentials.createSsl(Buffer.from(ca.caPem), [pair], true);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', tls, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  connection = {
    server: `127.0.0.1:${port}`,
    ...{ caPem: ca.caPem, certificatePem: admin.chainPem, keyPem: admin.keyPem },
  };
});
afterAll(() => server.forceShutdown());
afterEach(() => api.close());

function open(changes: Partial<Connection> = {}, requestTimeoutMs = 5000): Api {
  handlers = {};
  api = grpcApi({ ...connection, ...changes }, { requestTimeoutMs, command: 'b8sctl test' });
  return api;
}

function failWith(code: status, details: string, trailer?: [string, Uint8Array]) {
  const metadata = new Metadata();
  if (trailer !== undefined) metadata.set(trailer[0], Buffer.from(trailer[1]));
  return (_call: unknown, callback: (error: Partial<ServiceError>) => void) =>
    callback({ code, details, metadata });
}

const SITE = { apiVersion: 'b8s.dev/v1', kind: 'Site', metadata: { name: 'blog' } } as const;

test('an object goes there and comes back, with the command that was given', async () => {
  open();
  handlers['apply'] = (call: { request: object }, callback: (e: null, r: object) => void) => {
    expect(call.request).toMatchObject({ manager: 'b8sctl', dryRun: true, command: 'b8sctl test' });
    callback(null, {
      outcome: 'created',
      objectJson: JSON.stringify(SITE),
      previousJson: '',
      warnings: ['mind'],
      changedValues: [],
    });
  };
  const applied = await api.apply(SITE, { manager: 'b8sctl', dryRun: true });
  expect(applied).toEqual({ outcome: 'created', object: SITE, warnings: ['mind'] });
});

test('violations and clashes come out of the trailers', async () => {
  open();
  const violations = [{ path: 'spec.hosts[0]', message: '"x": needs a dot' }];
  const bytes = Violations.encode({ violations }).finish();
  handlers['apply'] = failWith(status.INVALID_ARGUMENT, 'invalid', ['b8s-violations-bin', bytes]);
  await expect(api.apply(SITE, { manager: 'm' })).rejects.toMatchObject({
    ...{ name: 'ApiError', reason: 'Invalid', message: 'invalid', violations },
  });
  const clashes = [{ path: 'spec.ttl', manager: 'other' }];
  const clashBytes = Clashes.encode({ clashes }).finish();
  const trailer: [string, Uint8Array] = ['b8s-clashes-bin', clashBytes];
  handlers['apply'] = failWith(status.FAILED_PRECONDITION, 'clash', trailer);
  await expect(api.apply(SITE, { manager: 'm' })).rejects.toMatchObject({
    ...{ reason: 'Conflict', clashes },
  });
});

test.each([
  { code: status.NOT_FOUND, reason: 'NotFound' },
  { code: status.ABORTED, reason: 'Aborted' },
  { code: status.OUT_OF_RANGE, reason: 'Expired' },
  { code: status.PERMISSION_DENIED, reason: 'Forbidden' },
  { code: status.INTERNAL, reason: 'InternalError' },
])('status $code is $reason', async ({ code, reason }) => {
  open();
  handlers['get'] = failWith(code, 'because');
  const reference = { kind: 'Site', namespace: 'default', name: 'blog' };
  await expect(api.get(reference)).rejects.toMatchObject({ reason, message: 'because' });
});

test('a dom that does not know a request is told as one that is too old', async () => {
  open();
  handlers['listUsers'] = (_: never, callback: (error: object) => void) =>
    callback({ code: status.UNIMPLEMENTED, details: 'unknown method' });
  await expect(api.listUsers()).rejects.toMatchObject({
    message: `the dom at ${connection.server} is too old for this: see b8sctl version`,
  });
});

test('users come with their certificates', async () => {
  open();
  const certificate = { serial: '4a', role: 'viewer', createdBy: 'admin' };
  const users = [
    {
      name: 'ada',
      certificates: [{ ...certificate, createdMs: 1n, expiresMs: 2n }],
      revokedMs: 0n,
      revokedBy: '',
    },
    { name: 'bob', certificates: [], revokedMs: 3n, revokedBy: 'ada' },
  ];
  handlers['listUsers'] = (_: never, callback: (error: null, answer: object) => void) =>
    callback(null, { users });
  expect(await api.listUsers()).toEqual([
    { name: 'ada', certificates: [{ ...certificate, createdMs: 1, expiresMs: 2 }] },
    { name: 'bob', certificates: [], revoked: { atMs: 3, by: 'ada' } },
  ]);
});

test('a list is read page by page at the revision of the first', async () => {
  open();
  const asked: unknown[] = [];
  handlers['list'] = (
    { request }: { request: { continue: string; revision: bigint } },
    callback: (e: null, r: object) => void,
  ) => {
    asked.push([request.continue, request.revision]);
    const isFirst = request.continue === '';
    const objectsJson = [JSON.stringify({ ...SITE, page: isFirst ? 1 : 2 })];
    callback(null, { objectsJson, revision: 9n, continue: isFirst ? 'more' : '' });
  };
  const { objects, revision } = await api.list({ kind: 'Site', namespace: '' });
  expect(objects.map((object) => (object as { page?: number }).page)).toEqual([1, 2]);
  expect(revision).toBe(9n);
  expect(asked).toEqual([
    ['', 0n],
    ['more', 9n],
  ]);
});

test('a list is asked for in pages as large as is wished', async () => {
  open();
  const limits: number[] = [];
  handlers['list'] = (
    { request }: { request: { limit: number } },
    callback: (e: null, r: object) => void,
  ) => {
    limits.push(request.limit);
    callback(null, { objectsJson: [], revision: 9n, continue: '' });
  };
  await api.list({ kind: 'Site', namespace: '', pageObjects: 7 });
  await api.list({ kind: 'Site', namespace: '', pageObjects: 0 });
  expect(limits).toEqual([7, 0]);
});

test('a watch yields events, skips unknown ones, and ends with the signal', async () => {
  open();
  const objectJson = JSON.stringify(SITE);
  handlers['watch'] = (call: { write(message: object): void }) => {
    call.write({ type: 'added', objectJson, revision: 1n });
    call.write({ type: 'invented later', objectJson: '', revision: 1n });
    call.write({ type: 'synced', objectJson: '', revision: 1n });
  };
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = async () => {
    for await (const event of api.watch({ kind: 'Site', namespace: '' }, stop.signal)) {
      seen.push(event.type);
      if (event.type === 'synced') stop.abort(new Error('enough'));
    }
  };
  await expect(reading()).rejects.toThrow('enough');
  expect(seen).toEqual(['added', 'synced']);
});

test('a watch that dom ends is an error, for it never ends by itself', async () => {
  open();
  handlers['watch'] = (call: { end(): void }) => call.end();
  const next = api.watch({ kind: 'Site', namespace: '' }, NEVER)[Symbol.asyncIterator]().next();
  await expect(next).rejects.toMatchObject({ reason: 'Unavailable' });
});

const QUERY = { ...{ namespace: '', name: 'infra', ref: '' }, force: false, confirmPrune: false };
const HEAD = {
  ...{ commit: 'c', subject: 's', author: 'a', appliedCommit: '', digest: '' },
  ...{ repositoryJson: JSON.stringify(SITE), holds: [], changes: 1 },
};

test('a forecast comes head first, then change by change', async () => {
  open();
  handlers['forecastRepository'] = (call: { write(message: object): void; end(): void }) => {
    call.write({ part: { $case: 'head', value: HEAD } });
    const object = { kind: 'Site', namespace: 'default', name: 'blog' };
    const words = { action: 'delete', why: '', file: '', line: 0, changedValues: [] };
    const sides = { beforeJson: JSON.stringify(SITE), afterJson: '' };
    call.write({ part: { $case: 'change', value: { object, ...words, ...sides } } });
    call.end();
  };
  const { changes, repository } = await api.forecast(QUERY, NEVER);
  expect(repository).toEqual(SITE);
  expect(changes).toMatchObject([{ action: 'delete', before: SITE, reference: { name: 'blog' } }]);
  expect(changes[0]?.after).toBeUndefined();
});

test('half a forecast is an error, for what is missing may be a deletion', async () => {
  open();
  handlers['forecastRepository'] = (call: { write(message: object): void; end(): void }) => {
    call.write({ part: { $case: 'head', value: HEAD } });
    call.end();
  };
  await expect(api.forecast(QUERY, NEVER)).rejects.toMatchObject({ reason: 'Unavailable' });
});

test.each([
  { when: 'empty', sizeBytes: 0 },
  { when: 'one byte over a message', sizeBytes: 64 * 1024 + 1 },
  { when: 'larger than what is buffered', sizeBytes: 5_000_000 },
])(
  'a blob that is $when arrives whole, its head in the first message only',
  async ({ sizeBytes }) => {
    open();
    const messages: UploadBlobRequest[] = [];
    handlers['uploadBlob'] = (
      call: AsyncIterable<UploadBlobRequest>,
      callback: (e: null, r: object) => void,
    ) => {
      void (async () => {
        for await (const message of call) messages.push(message);
        callback(null, {});
      })();
    };
    const bytes = Buffer.alloc(sizeBytes, 'x');
    const chunks = (async function* () {
      yield bytes;
    })();
    await api.uploadBlobs(only({ digest: 'sha256-ab', sizeBytes, chunks }), NEVER);
    expect(Buffer.concat(messages.map(({ chunk }) => chunk)).equals(bytes)).toBe(true);
    expect(messages.map(({ digest }) => digest).filter(Boolean)).toEqual(['sha256-ab']);
    expect(messages[0]?.sizeBytes).toBe(BigInt(sizeBytes));
  },
);

test('an upload that dom refuses in the middle ends at once', async () => {
  open();
  handlers['uploadBlob'] = failWith(status.RESOURCE_EXHAUSTED, 'the disk is full');
  const endless = (async function* () {
    for (;;) yield Buffer.alloc(64 * 1024);
  })();
  const blob = { digest: 'sha256-ab', sizeBytes: 1e12, chunks: endless };
  const upload = api.uploadBlobs(only(blob), NEVER);
  await expect(upload).rejects.toMatchObject({
    ...{ reason: 'TooManyRequests', message: 'the disk is full' },
  });
});

test('a call that takes too long ends', async () => {
  open({}, 50);
  handlers['getServerInfo'] = () => undefined;
  await expect(api.serverInfo()).rejects.toMatchObject({ reason: 'Timeout' });
});

test('a dom that is away, one that we do not trust, and one that cannot are told apart', async () => {
  const dead = open({ server: '127.0.0.1:9' });
  await expect(dead.serverInfo()).rejects.toMatchObject({
    reason: 'Unavailable',
    message: 'The connection to the server 127.0.0.1:9 was refused - is dom running there?',
  });
  dead.close();
  const other = await generateCa({ ...ports, name: 'other' });
  const wrong = open({ caPem: other.caPem });
  await expect(wrong.serverInfo()).rejects.toThrow(/^The TLS handshake with the server .* failed/);
  wrong.close();
  open();
  handlers['getServerInfo'] = failWith(status.UNAVAILABLE, 'not the leader');
  await expect(api.serverInfo()).rejects.toThrow('Error from server (Unavailable): not the leader');
});

test('an interrupted upload rejects with the reason of the signal', async () => {
  open();
  const received = vi.fn();
  handlers['uploadBlob'] = (call: { on(event: string, listener: () => void): void }) =>
    call.on('data', received);
  const stop = new AbortController();
  const waiting = (async function* () {
    yield Buffer.from('x');
    stop.abort(new Error('interrupted'));
    yield Buffer.from('y');
  })();
  const blob = { digest: 'sha256-ab', sizeBytes: 2, chunks: waiting };
  await expect(api.uploadBlobs(only(blob), stop.signal)).rejects.toThrow('interrupted');
});

test('blobs follow one another in one stream, compressed where that is shorter', async () => {
  open();
  const messages: UploadBlobRequest[] = [];
  handlers['uploadBlob'] = (
    call: AsyncIterable<UploadBlobRequest>,
    callback: (e: null, r: object) => void,
  ) => {
    void (async () => {
      for await (const message of call) messages.push(message);
      callback(null, {});
    })();
  };
  const noise = ports.random.bytes(2000);
  const text = Buffer.alloc(2000, 'text ');
  const blobs = (async function* (): AsyncGenerator<Blob> {
    const rest = { sizeBytes: 2000, compression: 'try' } as const;
    yield { digest: 'sha256-aa', ...rest, chunks: pieces(noise) };
    yield { digest: 'sha256-bb', ...rest, chunks: pieces(text.subarray(500)), offsetBytes: 500 };
  })();
  await api.uploadBlobs(blobs, NEVER);
  expect(messages).toMatchObject([
    { digest: 'sha256-aa', rawBytes: 0, offsetBytes: 0n, chunk: Buffer.from(noise) },
    { digest: 'sha256-bb', rawBytes: 1500, offsetBytes: 500n },
  ]);
  const packed = messages[1]?.chunk ?? Buffer.alloc(0);
  expect(zstdDecompressSync(packed).equals(text.subarray(500))).toBe(true);
});

async function* only(blob: Omit<Blob, 'compression'>): AsyncGenerator<Blob> {
  yield { ...blob, compression: 'none' };
}

async function* pieces(...bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}
