import { readFileSync } from 'node:fs';
import { geoName, node, records, zonePlan } from '../../agent/dns/dns.fixture.ts';
import { testSnapshot } from '../../agent/plane/plane-fixture.ts';
import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { blobPath, digestOf } from '../../runtime/content/digest.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { openBenchPlane } from '../plane.ts';
import { edges, names, ORIGIN, STATIC_TTL_S, TTL_S, TXT } from './world.ts';

/*
 * node bench/dns/b8s-server.ts PORT DATABASE.mmdb [WORKERS]: the data plane of a nameserver, as sub
 * runs it, with one DNS worker unless said otherwise. Says "ready" once it answers; ends on SIGTERM.
 */
const [port = '', database = '', workers = '1'] = process.argv.slice(2);
const { plane, disk, close } = await openBenchPlane({
  dnsPort: Number(port),
  dnsWorkers: Number(workers),
});
const bytes = readFileSync(database);
const digest = digestOf(bytes);
await disk.write(blobPath(digest), bytes);
process.once('SIGTERM', () => void close().then(() => process.exit(0)));
const nodes = edges.map(({ name, ipv4, ipv6, latitude, longitude }) =>
  node(name, { ipv4: [ipv4], ipv6: [ipv6], latitude, longitude }),
);
const snapshot = testSnapshot(1, {
  dns: { zones: [zone()], nodes, databases: [digest], health: {} },
});
for (;;) {
  const { zones, databases, problems } = await plane.apply(snapshot);
  const trouble = zones.find(({ error }) => error !== undefined)?.error ?? problems[0];
  if (trouble !== undefined) throw new Error(`b8s does not serve: ${trouble}`);
  // The geography is compiled meanwhile.
  if (databases.length === 1) break;
  await systemClock().sleep(50);
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
