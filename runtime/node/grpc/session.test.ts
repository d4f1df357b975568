import { once } from 'node:events';
import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../caller.ts';
import { linkCases } from '../../session/link.case.ts';
import { type Link, LinkClosedError } from '../../session/link.ts';
import { LONDON, openTestPort, type TestPort } from '../test-port.ts';
import { grpcDom } from './dialer.ts';
import { rawAgentService, sessionHandler } from './session.ts';

let port: TestPort;
const accepted: { readonly link: Link; readonly caller: Caller }[] = [];
const waiting: (() => void)[] = [];

beforeAll(async () => {
  port = await openTestPort();
  port.server.addService(rawAgentService, {
    session: sessionHandler((link, caller) => {
      accepted.push({ link, caller });
      waiting.shift()?.();
    }),
  } as never);
});
afterAll(() => port.close());

describe('the half of a session at dom', () => {
  test('frames pass as they are, and the node is known', async () => {
    const { call, link, caller } = await open();
    expect(caller.identity).toEqual(LONDON);
    call.write(Buffer.from('hello'));
    call.write(Buffer.alloc(300_000, 7));
    call.write(Buffer.alloc(0));
    call.end();
    link.send(new Uint8Array([1, 2, 3]).subarray(1));
    const frames = await all(link);
    expect(frames.map(({ length }) => length)).toEqual([5, 300_000, 0]);
    expect((await call.toArray()).map(([...bytes]) => bytes)).toEqual([[2, 3]]);
  });

  test('a clean close ends the call with OK, after what was sent', async () => {
    const { call, link } = await open();
    link.send(Buffer.from('last'));
    link.close();
    link.close();
    expect(link.send(Buffer.from('nobody'))).toBe(true);
    await link.drained();
    expect(await all(link)).toEqual([]);
    expect((await call.toArray()).map(String)).toEqual(['last']);
  });

  test.each([
    { reason: 'refused', code: status.FAILED_PRECONDITION },
    { reason: 'lost', code: status.UNAVAILABLE },
  ] as const)('a close as $reason is status $code', async ({ reason, code }) => {
    const { call, link } = await open();
    link.close(new LinkClosedError(reason, 'node london is revoked \ud800'));
    const failure = await call.toArray().catch((error: ServiceError) => error);
    expect(failure).toMatchObject({ code, details: 'node london is revoked \ufffd' });
    expect(await all(link)).toEqual([]);
  });

  test('a sub that vanishes is lost', async () => {
    const { call, link } = await open();
    const reading = all(link);
    call.cancel();
    await expect(reading).rejects.toMatchObject({ name: 'LinkClosedError', reason: 'lost' });
    await link.drained();
  });

  test('send says when the sub does not read, and drained when it does again', async () => {
    const { call, link } = await open();
    // grpc-js takes in everything until the first read.
    link.send(Buffer.alloc(0));
    call.once('data', () => call.pause());
    await once(call, 'pause');
    const frame = Buffer.alloc(64 * 1024);
    let sent = 0;
    let phase = 'sending';
    const sending = (async () => {
      for (; sent < 500; sent += 1) if (!link.send(frame)) await link.drained();
      phase = 'done';
    })();
    await settled(() => sent);
    expect(phase).toBe('sending');
    let received = 0;
    call.on('data', () => {
      received += 1;
    });
    call.resume();
    await sending;
    await expect.poll(() => received, { timeout: 10_000 }).toBe(500);
    link.close();
  });

  test('a sub that sends more than dom reads has to wait', async () => {
    const { call, link } = await open();
    let writes = 0;
    const frame = Buffer.alloc(64 * 1024);
    while (call.write(frame)) writes += 1;
    expect(writes).toBeLessThan(1_000);
    const iterator = link.frames()[Symbol.asyncIterator]();
    for (let read = 0; read <= writes; read += 1) expect((await iterator.next()).done).toBe(false);
    call.cancel();
  });
});

describe('a link over gRPC', () => {
  linkCases(async () => {
    const { london, address, authority } = port;
    const arrived = new Promise<void>((resolve) => waiting.push(resolve));
    const sub = await grpcDom(() => ({
      node: 'london',
      nodeUid: LONDON.uid,
      caPem: authority.caPem,
      certificatePem: london.chainPem,
      keyPem: london.keyPem,
      domAddresses: [address],
    })).dial(new AbortController().signal);
    await arrived;
    const dom = accepted.at(-1)?.link;
    if (dom === undefined) throw new Error('no session');
    return { sub, dom };
  });
});

async function open(): Promise<{
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly link: Link;
  readonly caller: Caller;
}> {
  const same = (bytes: Buffer) => bytes;
  const arrived = new Promise<void>((resolve) => waiting.push(resolve));
  const call = port
    .dial(port.london)
    .makeBidiStreamRequest(rawAgentService.session.path, same, same);
  call.on('error', () => undefined);
  await arrived;
  const last = accepted.at(-1);
  if (last === undefined) throw new Error('no session');
  return { call, ...last };
}

async function all(link: Link): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const frame of link.frames()) frames.push(frame);
  return frames;
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
