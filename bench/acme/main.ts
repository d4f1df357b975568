import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Certificate } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import { issuerYaml } from '../../e2e/acme/acme.fixture.ts';
import { startCaProxy } from '../../e2e/acme/ca-proxy.ts';
import { startCluster, threeNodes } from '../../e2e/support/cluster.ts';
import { startPebble } from '../../e2e/support/pebble.ts';
import { AREA, zoneYaml } from '../../e2e/support/scene.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { grpcApi } from '../../runtime/node/grpc/api.ts';
import { percentile, processUsage } from '../figures.ts';

/*
 * node bench/acme/main.ts [--count 1000]: so many Certificates are declared at once, each of a name
 * of its own, and proven by DNS-01 to Debian's Pebble through one of three real nameservers.
 */
const { values } = parseArgs({ options: { count: { type: 'string', default: '1000' } } });
const COUNT = Number(values.count);
const DEADLINE_MS = 9 * 60 * 1000;
const MANAGER = 'bench';

const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
const address = `127.${AREA}.0.10`;
const planned = threeNodes(AREA, { dns: 0, http: 0, https: 0 });
const [port = 0, dns = 0, http = 0, https = 0] = await freePortsAt(
  [address, ...planned.map((node) => node.address)],
  4,
);
const nodes = threeNodes(AREA, { dns, http, https });
const cluster = await startCluster({
  stateDir: folder,
  dom: { address, port },
  nodes,
  geo: 'none',
});
const pebble = await startPebble({ dnsServer: `${nodes[0]?.address}:${dns}` });
const proxy = await startCaProxy(pebble);
process.once('SIGINT', () => void stop().then(() => process.exit(130)));
try {
  await measure();
} finally {
  await stop();
}

async function measure(): Promise<void> {
  const input = `${zoneYaml('acme-test', 'acme.test')}---\n${issuerYaml('ca', proxy.ca)}`;
  await cluster.b8sctlOk(['apply', '-f', '-'], { input });
  await cluster.b8sctlOk(['wait', 'issuer/ca', '--for=condition=Ready', '--timeout=60s']);
  const dom = cluster.dom.pid ?? 0;
  const before = processUsage(dom);
  proxy.count();
  const api = grpcApi(cluster.connection(), {
    command: 'bench/acme',
    requestTimeoutMs: 30_000,
  });
  const startMs = performance.now();
  for (let index = 0; index < COUNT; index += 1)
    await api.apply(
      {
        ...{ apiVersion: 'b8s.dev/v1', kind: 'Certificate' },
        metadata: { name: `c${index}`, namespace: 'default' },
        spec: { names: [`c${index}.acme.test`], issuer: 'ca' },
      },
      { manager: MANAGER },
    );
  console.log(`${COUNT} declared after ${seconds(performance.now() - startMs)}`);
  const doneMs = new Map<string, number>();
  let rssMbMax = before.rssMb;
  let underWayMax = 0;
  while (doneMs.size < COUNT && performance.now() - startMs < DEADLINE_MS) {
    await pause(1_000);
    rssMbMax = Math.max(rssMbMax, processUsage(dom).rssMb);
    const { objects } = await api.list({ kind: 'Certificate', namespace: 'default' });
    const certificates = objects as readonly Certificate[];
    underWayMax = Math.max(underWayMax, certificates.filter((each) => each.status?.order).length);
    for (const each of certificates)
      if (condition(each, 'Ready')?.status === 'True' && !doneMs.has(each.metadata.name))
        doneMs.set(each.metadata.name, performance.now() - startMs);
  }
  api.close();
  const after = processUsage(dom);
  const times = [...doneMs.values()];
  console.log(`${times.length} of ${COUNT} issued after ${seconds(Math.max(0, ...times))}`);
  console.log(`half of them after ${seconds(percentile(times, 0.5))}`);
  console.log(`orders under way at once: ${underWayMax} at most`);
  console.log(`requests to the CA: ${(proxy.calls.length / COUNT).toFixed(1)} a certificate`);
  console.log(`dom: ${before.rssMb.toFixed(0)} MB before, ${rssMbMax.toFixed(0)} at most`);
  console.log(`dom: ${seconds(after.cpuMs - before.cpuMs)} of one core in all`);
  if (times.length < COUNT) {
    console.log(await cluster.b8sctlOk(['get', 'certificates', '-o', 'wide']));
    process.exitCode = 1;
  }
}

async function stop(): Promise<void> {
  await proxy.close();
  await pebble.stop();
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
