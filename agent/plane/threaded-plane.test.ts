import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { nodeReadShared } from '../../runtime/node/shared-file.ts';
import { testCertificate } from '../../runtime/node/test-certificate.ts';
import { threadWorkers } from '../../runtime/node/worker-threads.ts';
import { compileOnDisk } from './geo-compiler.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { type PlaneUnderTest, planeCases } from './plane.case.ts';
import type { WorkerKind } from './plane.ts';
import { publish, testSite, testSnapshot } from './plane-fixture.ts';
import { createThreadedPlane } from './threaded-plane.ts';
import { TICKET_KEYS_BYTES, WORKER_RESOURCE_LIMITS, type WorkerConfig } from './worker-config.ts';
import type { PlaneWorkerHandle } from './worker-pool.ts';

const HOST = '127.0.0.1';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface ThreadsUnderTest extends PlaneUnderTest {
  readonly httpsPort: number;
  /** The newest of each kind first. */
  readonly spawned: { readonly kind: WorkerKind; readonly worker: PlaneWorkerHandle }[];
}

async function open(counts: Readonly<Record<WorkerKind, number>>): Promise<ThreadsUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-plane-'));
  const disk = nodeDisk(folder);
  const [httpPort, httpsPort, dnsPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const threads = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: new URL('./main.ts', import.meta.url),
    dataFor: (kind): WorkerConfig => ({
      kind,
      nodeName: 'london',
      addresses: [HOST],
      httpPort,
      httpsPort,
      dnsPort,
      folder,
      ticketKeys: Buffer.alloc(TICKET_KEYS_BYTES, 7),
      cacheBytesMax: 1024 * 1024,
      mode: 'test',
    }),
    resourceLimits: WORKER_RESOURCE_LIMITS,
  });
  const spawned: ThreadsUnderTest['spawned'] = [];
  const plane = createThreadedPlane({
    workers: {
      spawn(kind, index) {
        const worker = threads.spawn(kind, index);
        spawned.unshift({ kind, worker });
        return worker;
      },
    },
    counts,
    disk,
    readShared: nodeReadShared(folder),
    compileGeo: (digest) => compileOnDisk(disk, digest),
    clock: systemClock(),
    random: systemRandom(),
    log: silentLog,
  });
  return {
    plane,
    disk,
    httpsPort,
    spawned,
    certificate: await testCertificate(['blog.test']),
    get: (path, host) => get(httpsPort, { path, ...(host === undefined ? {} : { host }) }),
    query: (message) => query(dnsPort, message),
    async close() {
      await plane.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function get(
  port: number,
  { path, host = 'blog.test', agent }: { path: string; host?: string; agent?: Agent },
): Promise<{ status: number; text: string }> {
  const request = httpsRequest({
    host: HOST,
    port,
    path,
    servername: 'blog.test',
    headers: { host },
    rejectUnauthorized: false,
    agent: agent ?? false,
  }).end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return {
    status: message.statusCode ?? 0,
    text: Buffer.concat(await message.toArray()).toString(),
  };
}

async function query(port: number, message: Uint8Array): Promise<Uint8Array> {
  const socket = createSocket('udp4');
  socket.send(message, port, HOST);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return reply;
}

planeCases('a plane of threads', () => open({ edge: 2, dns: 1 }));

test('a worker that crashes is replaced within a second while the others serve', async () => {
  const under = await open({ edge: 2, dns: 1 });
  onTestFinished(() => under.close());
  const release = await publish(under.disk, { 'index.html': 'one' });
  const edge = { sites: [testSite({ release })], certificates: [under.certificate] };
  await under.plane.apply(testSnapshot(1, { edge }));

  const wrong: unknown[] = [];
  const failedAtMs: number[] = [];
  let answered = 0;
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const { status, text } = await get(under.httpsPort, { path: '/' });
        if (status !== 200 || text !== 'one') wrong.push({ status, text });
        answered += 1;
      } catch {
        // A connection may be lost with its worker; what must not be is a wrong answer.
        failedAtMs.push(performance.now());
      }
    }
  };
  const loops = [loop(), loop()];
  await expect.poll(() => answered).toBeGreaterThan(20);
  const crashedMs = performance.now();
  under.spawned.find(({ kind }) => kind === 'edge')?.worker.post({ kind: 'crash' });
  const restarts = () => under.plane.state().reduce((sum, each) => sum + each.restarts, 0);
  await expect.poll(restarts, { interval: 5 }).toBe(1);
  const isWhole = () => under.plane.state().every(({ sequence }) => sequence === 1);
  await expect.poll(isWhole, { interval: 5 }).toBe(true);
  const recoveredMs = performance.now() - crashedMs;
  const answeredBefore = answered;
  await expect.poll(() => answered).toBeGreaterThan(answeredBefore + 20);
  stop.abort();
  await Promise.all(loops);

  expect(wrong).toEqual([]);
  expect(recoveredMs).toBeLessThan(1000);
  expect(failedAtMs.every((atMs) => atMs - crashedMs < 1000)).toBe(true);
});

test('all workers gone at once: they come back with the last snapshot and the last health', async () => {
  const under = await open({ edge: 1, dns: 1 });
  onTestFinished(() => under.close());
  const release = await publish(under.disk, { 'index.html': 'one' });
  const edge = { sites: [testSite({ release })], certificates: [under.certificate] };
  await under.plane.apply(testSnapshot(1, { edge }));
  under.plane.setHealth({ tokyo: false });
  for (const { worker } of under.spawned) worker.terminate();
  const isWhole = () =>
    under.plane.state().every(({ sequence, restarts }) => sequence === 1 && restarts === 1);
  await expect.poll(isWhole).toBe(true);
  expect((await under.get('/')).text).toBe('one');
  const question = { name: 'blog.test', type: 'A', clientIp: '203.0.113.1' };
  expect(await under.plane.explain(question)).toMatchObject({
    explanation: { answers: ['192.0.2.10'] },
  });
});
