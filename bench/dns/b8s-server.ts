import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { geoName, node, records, zonePlan } from '../../agent/dns/dns.fixture.ts';
import type { FromWorker, ToWorker } from '../../agent/plane/messages.ts';
import type { WorkerKind } from '../../agent/plane/plane.ts';
import { testSnapshot } from '../../agent/plane/plane-fixture.ts';
import { createThreadedPlane } from '../../agent/plane/threaded-plane.ts';
import {
  WORKER_RESOURCE_LIMITS,
  type WorkerConfig,
  workerFlags,
} from '../../agent/plane/worker-config.ts';
import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { blobPath, digestOf } from '../../runtime/digest.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { threadWorkers } from '../../runtime/node/worker-threads.ts';
import { edges, names, ORIGIN, STATIC_TTL_S, TTL_S, TXT } from './world.ts';

/*
 * node bench/dns/b8s-server.ts PORT DATABASE.mmdb: the data plane of a nameserver, as sub runs it,
 * with one DNS worker. Says "ready" once it answers; ends on SIGTERM.
 */
const [port = '', database = ''] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
const bytes = readFileSync(database);
const digest = digestOf(bytes);
const path = join(folder, blobPath(digest));
await mkdir(dirname(path), { recursive: true });
await writeFile(path, bytes);
const workers = threadWorkers<WorkerKind, ToWorker, FromWorker>({
  entry: new URL('../../agent/plane/main.ts', import.meta.url),
  dataFor: (kind): WorkerConfig => ({
    kind,
    nodeName: 'bench',
    addresses: ['127.0.0.1'],
    ...{ httpPort: 0, httpsPort: 0, dnsPort: Number(port) },
    folder,
    ticketKeys: Buffer.alloc(48, 1),
    cacheBytesMax: 0,
    mode: 'production',
  }),
  resourceLimits: WORKER_RESOURCE_LIMITS,
  flagsFor: workerFlags,
});
const plane = createThreadedPlane({
  ...{ workers, counts: { edge: 0, dns: 1 }, disk: nodeDisk(folder) },
  ...{ clock: systemClock(), random: systemRandom(), log: silentLog },
});
process.once('SIGTERM', () => {
  void plane
    .close()
    .then(() => rm(folder, { recursive: true, force: true }))
    .then(() => process.exit(0));
});
const nodes = edges.map(({ name, ipv4, ipv6, latitude, longitude }) =>
  node(name, { ipv4: [ipv4], ipv6: [ipv6], latitude, longitude }),
);
const report = await plane.apply(
  testSnapshot(1, { dns: { zones: [zone()], nodes, databases: [digest], health: {} } }),
);
const trouble = report.zones.find(({ error }) => error !== undefined)?.error;
if (trouble !== undefined || report.databases.length !== 1) {
  throw new Error(`b8s does not serve: ${trouble ?? report.problems.join(', ')}`);
}
console.log('ready');

function zone(): ZonePlan {
  const candidates = edges.map(({ name }) => name).toSorted();
  const ns = `ns1.${ORIGIN}`;
  return zonePlan(ORIGIN, {
    records: [
      records(ORIGIN, 'NS', ns),
      records(ns, 'A', '127.0.0.1'),
      ...names.map((name) => ({ ...records(name, 'TXT', `"${TXT}"`), ttlS: STATIC_TTL_S })),
    ],
    geoNames: names.map((name) => geoName(name, { candidates, ttlS: TTL_S })),
  });
}
