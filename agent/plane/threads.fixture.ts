import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { nodeReadShared } from '../../runtime/node/shared-file.ts';
import { testCertificate } from '../../runtime/node/tls/test-certificate.ts';
import { threadWorkers } from '../../runtime/node/worker-threads.ts';
import { compileOnDisk } from './geo-compiler.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { PlaneUnderTest } from './plane.case.ts';
import type { WorkerKind } from './plane.ts';
import { createThreadedPlane } from './threaded-plane.ts';
import { TICKET_KEYS_BYTES, WORKER_RESOURCE_LIMITS, type WorkerConfig } from './worker-config.ts';
import type { PlaneWorkerHandle } from './worker-pool.ts';

export const HOST = '127.0.0.1';

export interface ThreadsUnderTest extends PlaneUnderTest {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly dnsPort: number;
  /** The newest of each kind first. */
  readonly spawned: { readonly kind: WorkerKind; readonly worker: PlaneWorkerHandle }[];
}

/** For tests: a plane of worker threads on ports of its own. */
export async function openThreads(
  counts: Readonly<Record<WorkerKind, number>>,
): Promise<ThreadsUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-plane-'));
  const disk = nodeDisk(folder);
  const [httpPort = 0, httpsPort = 0, dnsPort = 0] = await freePortsAt([HOST], 3);
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
    ...{ httpPort, httpsPort, dnsPort },
    spawned,
    certificate: await testCertificate(['blog.test']),
    get: (path, host) => get(httpsPort, { path, ...(host === undefined ? {} : { host }) }),
    getPlain: (path, host) => getPlain(httpPort, path, host),
    query: (message) => query(dnsPort, message),
    async close() {
      await plane.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Over TLS; with `agent` over connections that are kept. */
export async function get(
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

async function getPlain(
  port: number,
  path: string,
  host: string,
): Promise<{ status: number; text: string }> {
  const request = httpRequest({ host: HOST, port, path, headers: { host }, agent: false }).end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await message.toArray()).toString();
  return { status: message.statusCode ?? 0, text };
}

async function query(port: number, message: Uint8Array): Promise<Uint8Array> {
  const socket = createSocket('udp4');
  socket.send(message, port, HOST);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return reply;
}
