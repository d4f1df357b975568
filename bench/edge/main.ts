import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { MEMORY_CACHE_LIMITS } from '../../agent/edge/memory-cache.ts';
import { type CompileGeo, compileOnDisk } from '../../agent/plane/geo-compiler.ts';
import type { FromWorker, ToWorker } from '../../agent/plane/messages.ts';
import type { WorkerKind } from '../../agent/plane/plane.ts';
import { publish, testSite, testSnapshot } from '../../agent/plane/plane-fixture.ts';
import { createThreadedPlane } from '../../agent/plane/threaded-plane.ts';
import { WORKER_RESOURCE_LIMITS, type WorkerConfig } from '../../agent/plane/worker-config.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { nodeReadShared } from '../../runtime/node/shared-file.ts';
import { threadWorkers } from '../../runtime/node/worker-threads.ts';

/*
 * node bench/edge/main.ts CHAIN.pem KEY.pem: requests a second for 1 KiB over TLS 1.3, HTTP/1.1
 * keep-alive, one edge worker, and what the process holds in memory. The client is a process of
 * its own, as thin as it can be, and takes a core of its own.
 */
const CONNECTIONS = 32;
const SECONDS = 5;
const HOST = '127.0.0.1';
const HTTPS_PORT = 18_443;
const ENTRY = new URL('../../agent/plane/main.ts', import.meta.url);

const [chainPath = '', keyPath = ''] = process.argv.slice(2);
if (chainPath === 'client') await runClient();
else await runServer();

async function runServer(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
  const disk = nodeDisk(folder);
  const workers = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: ENTRY,
    dataFor: (kind): WorkerConfig => ({
      kind,
      nodeName: 'bench',
      addresses: [HOST],
      httpPort: 18_080,
      httpsPort: HTTPS_PORT,
      dnsPort: 18_053,
      folder,
      ticketKeys: Buffer.alloc(48, 1),
      cacheBytesMax: MEMORY_CACHE_LIMITS.budgetBytes,
      mode: 'production',
    }),
    resourceLimits: WORKER_RESOURCE_LIMITS,
  });
  const parts = { disk, clock: systemClock(), random: systemRandom(), log: silentLog };
  const compileGeo: CompileGeo = (digest) => compileOnDisk(disk, digest);
  const plane = createThreadedPlane({
    ...parts,
    compileGeo,
    readShared: nodeReadShared(folder),
    workers,
    counts: { edge: 1, dns: 1 },
  });
  const release = await publish(disk, { 'index.html': Buffer.alloc(1024, 'x') });
  const certificate = {
    names: ['blog.test'],
    fingerprint: 'bench',
    chainPem: await readFile(chainPath, 'utf8'),
    keyPem: await readFile(keyPath, 'utf8'),
  };
  const edge = { sites: [testSite({ release })], certificates: [certificate] };
  await plane.apply(testSnapshot(1, { edge }));
  printMemory('applied');
  const client = fork(import.meta.filename, ['client']);
  const [answered] = (await once(client, 'message')) as [number];
  const { user, system } = process.cpuUsage();
  const exited = once(client, 'exit');
  const [answeredLater] = (await once(client, 'message')) as [number];
  const used = process.cpuUsage({ user, system });
  await exited;
  const requests = answeredLater - answered;
  const perCpuSecond = Math.round(requests / ((used.user + used.system) / 1e6));
  console.log(`1 KiB, TLS, HTTP/1.1 keep-alive, ${CONNECTIONS} connections, one edge worker:`);
  console.log(
    `${Math.round(requests / SECONDS)} requests/s, ${perCpuSecond} for a second of CPU time`,
  );
  printMemory('after the load');
  await plane.close();
  await rm(folder, { recursive: true });
}

async function runClient(): Promise<void> {
  const request = Buffer.from('GET / HTTP/1.1\r\nhost: blog.test\r\n\r\n');
  let answered = 0;
  const sockets = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const options = { servername: 'blog.test', rejectUnauthorized: false };
      const socket = connect({ host: HOST, port: HTTPS_PORT, ...options });
      await once(socket, 'secureConnect');
      let missingBytes = 0;
      socket.on('data', (piece: Buffer) => {
        // Every answer is as long as the head of the first one says.
        if (missingBytes === 0) missingBytes = piece.indexOf('\r\n\r\n') + 4 + 1024;
        missingBytes -= piece.length;
        if (missingBytes > 0) return;
        answered += 1;
        socket.write(request);
      });
      socket.write(request);
      return socket;
    }),
  );
  await systemClock().sleep(1000);
  process.send?.(answered);
  await systemClock().sleep(SECONDS * 1000);
  process.send?.(answered);
  process.disconnect?.();
  for (const socket of sockets) socket.destroy();
}

function printMemory(when: string): void {
  console.log(`${when}: ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB RSS`);
}
