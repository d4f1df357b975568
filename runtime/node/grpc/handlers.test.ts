import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ApiServiceService,
  Clashes,
  ListRequest,
  type UploadBlobRequest,
  Violations,
  type WatchResponse,
} from '../../../proto/gen/b8s/v1/api.ts';
import type { Log } from '../../log.ts';
import { RequestError } from '../../request-error.ts';
import { openTestPort, type TestPort } from '../test-port.ts';
import { type ClientStreamHandler, grpcHandlers, type ServerStreamHandler } from './handlers.ts';

let port: TestPort;
let answer: () => Promise<never>;
let watch: ServerStreamHandler<unknown, WatchResponse>;
let upload: ClientStreamHandler<UploadBlobRequest, object>;
let lines: object[];

beforeEach(async () => {
  lines = [];
  port = await openTestPort();
  const { unary, serverStream, clientStream } = grpcHandlers(keepingLog());
  port.server.addService(ApiServiceService, {
    list: unary(() => answer()),
    watch: serverStream((...args: Parameters<typeof watch>) => watch(...args)),
    uploadBlob: clientStream((...args: Parameters<typeof upload>) => upload(...args)),
  } as never);
});
afterEach(() => port.close());

test.each(['NOT_FOUND', 'ABORTED', 'OUT_OF_RANGE', 'RESOURCE_EXHAUSTED'] as const)(
  'a RequestError becomes its status: %s',
  async (code) => {
    answer = async () => {
      throw new RequestError(code, 'größer, "x"\n\ud800');
    };
    const error = await list();
    expect(error.code).toBe(status[code]);
    expect(error.details).toBe('größer, "x"\n\ufffd');
    expect(lines).toEqual([]);
  },
);

test('violations and clashes travel in trailers', async () => {
  const violations = [{ path: 'spec.hosts[0]', message: 'needs a dot' }];
  const clashes = [{ path: 'spec.tls', manager: 'b8sctl' }];
  answer = async () => {
    throw new RequestError('INVALID_ARGUMENT', 'no', { violations, clashes });
  };
  const { metadata } = await list();
  const [first] = metadata.get('b8s-violations-bin');
  const [second] = metadata.get('b8s-clashes-bin');
  expect(Violations.decode(first as Buffer)).toEqual({ violations });
  expect(Clashes.decode(second as Buffer)).toEqual({ clashes });
});

test('details too large for a trailer are cut, and the message is too', async () => {
  const violation = (index: number) => ({ path: `spec.hosts[${index}]`, message: 'x'.repeat(100) });
  const violations = Array.from({ length: 5_000 }, (_, index) => violation(index));
  answer = async () => {
    throw new RequestError('INVALID_ARGUMENT', 'y'.repeat(100_000), { violations });
  };
  const { code, metadata } = await list();
  expect(code).toBe(status.INVALID_ARGUMENT);
  const told = Violations.decode(metadata.get('b8s-violations-bin')[0] as Buffer).violations;
  expect(told.length).toBeGreaterThan(10);
  expect(told).toEqual(violations.slice(0, told.length));
});

test.each([
  { when: 'rejects', fail: () => Promise.reject(new Error('password is hunter2')) },
  {
    when: 'throws at once',
    fail: () => {
      throw new Error('password is hunter2');
    },
  },
])('what a handler that $when says stays in our log', async ({ fail }) => {
  answer = fail;
  const error = await list();
  expect(error.code).toBe(status.INTERNAL);
  expect(JSON.stringify(error)).not.toContain('hunter2');
  expect(lines).toEqual([
    expect.objectContaining({
      method: '/b8s.v1.ApiService/List',
      identity: { kind: 'node', name: 'london', uid: 'u1' },
      error: expect.stringContaining('hunter2'),
    }),
  ]);
});

test('a server stream waits for a caller that does not read, and ends when it goes', async () => {
  let produced = 0;
  const ended = Promise.withResolvers<void>();
  watch = async function* () {
    try {
      for (; produced < 10_000; produced += 1) yield response('x'.repeat(100_000));
    } finally {
      ended.resolve();
    }
  };
  const call = startWatch();
  // grpc-js takes in everything until the first read.
  call.once('data', () => call.pause());
  await expect.poll(() => produced).toBeGreaterThan(0);
  await settled(() => produced);
  expect(produced).toBeLessThan(1_000);
  call.cancel();
  await ended.promise;
});

test('a server stream ends with the error of its handler', async () => {
  watch = async function* () {
    yield response('one');
    throw new RequestError('OUT_OF_RANGE', 'compacted');
  };
  const received: WatchResponse[] = [];
  const failure = await (async () => {
    for await (const each of startWatch()) received.push(each as WatchResponse);
  })().catch((error: unknown) => error);
  expect(received.map(({ objectJson }) => objectJson)).toEqual(['one']);
  expect(failure).toMatchObject({ code: status.OUT_OF_RANGE, details: 'compacted' });
});

test('a server stream is told when its caller cancels', async () => {
  const aborted = Promise.withResolvers<void>();
  watch = async function* (_request, _caller, signal) {
    signal.addEventListener('abort', () => aborted.resolve());
    yield response('one');
    await aborted.promise;
  };
  const call = startWatch();
  call.on('data', () => call.cancel());
  await aborted.promise;
});

test('a client stream is read piece by piece', async () => {
  const received: string[] = [];
  upload = async (requests) => {
    for await (const { digest } of requests) received.push(digest);
    return {};
  };
  expect(await sendBlob(['a', 'b', 'c'])).toBeUndefined();
  expect(received).toEqual(['a', 'b', 'c']);
});

test('a client stream may be refused before its end', async () => {
  upload = async (requests) => {
    for await (const _ of requests) throw new RequestError('RESOURCE_EXHAUSTED', 'disk full');
    return {};
  };
  const error = await sendBlob(Array.from({ length: 100 }, () => 'x'.repeat(10_000)));
  expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'disk full' });
});

test('reflection names the services, for those who show a certificate', async () => {
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const same = (bytes: Buffer) => bytes;
  const answers: string[] = [];
  const call = port.dial(port.london).makeBidiStreamRequest(path, same, same);
  // Field 7, list_services: "*".
  call.write(Buffer.from('3a012a', 'hex'));
  call.end();
  for await (const bytes of call) answers.push((bytes as Buffer).toString());
  expect(answers.join()).toContain('b8s.v1.AgentService');
  const stranger = port.dial().makeBidiStreamRequest(path, same, same);
  const refused = await stranger.toArray().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: status.UNAUTHENTICATED });
});

function list(): Promise<ServiceError> {
  const { path, requestSerialize, responseDeserialize } = ApiServiceService.list;
  const request = ListRequest.create();
  return new Promise((resolve, reject) => {
    port
      .dial(port.london)
      .makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) =>
        error === null ? reject(new Error('it answered')) : resolve(error),
      );
  });
}

function startWatch() {
  const { path, requestSerialize, responseDeserialize } = ApiServiceService.watch;
  const request = { kind: '', namespace: '', labelSelector: '', name: '', afterRevision: 0n };
  const call = port
    .dial(port.london)
    .makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  call.on('error', () => undefined);
  return call;
}

function sendBlob(digests: readonly string[]): Promise<ServiceError | undefined> {
  const { path, requestSerialize, responseDeserialize } = ApiServiceService.uploadBlob;
  return new Promise((resolve) => {
    const call = port
      .dial(port.london)
      .makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error) =>
        resolve(error ?? undefined),
      );
    const rest = { sizeBytes: 0n, offsetBytes: 0n, rawBytes: 0, chunk: Buffer.alloc(0) };
    for (const digest of digests) call.write({ digest, ...rest });
    call.end();
  });
}

function response(objectJson: string): WatchResponse {
  return { type: 'added', objectJson, revision: 1n };
}

/** Resolves once a number has not changed for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  const isSettled = () => {
    const before = last;
    last = read();
    return last === before;
  };
  await expect.poll(isSettled, { interval: 100 }).toBe(true);
}

function keepingLog(): Log {
  const keep = (fields: object) => void lines.push(fields);
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return log;
}
