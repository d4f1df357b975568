import { parseArgs } from 'node:util';
import { records, zonePlan } from '../../agent/dns/dns.fixture.ts';
import { testSnapshot } from '../../agent/plane/plane-fixture.ts';
import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { processUsage, spread } from '../figures.ts';
import { ask } from './ask.ts';
import { openBenchPlane } from './plane.ts';

/*
 * MALLOC_ARENA_MAX=2 node --max-semi-space-size=2 bench/dns/zones.ts [--zones 10000]
 * [--records 100] [--changes 20], with the settings of bin/sub: how long a nameserver
 * takes until it serves so many zones with so many records each, what it holds then, and how long
 * a change of one zone takes from the plan's arrival until a query is answered with it.
 */
const { values } = parseArgs({
  options: {
    zones: { type: 'string', default: '10000' },
    records: { type: 'string', default: '100' },
    changes: { type: 'string', default: '20' },
  },
});
const PORT = 15_390;
const CHANGE_MS_MAX = 60_000;
const recordsEach = Number(values.records);
const { plane, close } = await openBenchPlane(PORT);
process.once('SIGINT', () => void close().then(() => process.exit(130)));
let sequence = 0;
try {
  let zones = Array.from({ length: Number(values.zones) }, (_, index) => zoneOf(index));
  const rssMbBefore = processUsage(process.pid).rssMb;
  const startMs = performance.now();
  await apply(zones);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const { rssMb } = processUsage(process.pid);
  const what = `${zones.length} zones with ${recordsEach} records each`;
  console.log(`${what}: served after ${seconds} s, ${rssMb.toFixed(0)} MB resident`);
  console.log(`(${rssMbBefore.toFixed(0)} MB before, the plan in memory)`);
  const samplesMs: number[] = [];
  for (let change = 1; change <= Number(values.changes); change += 1) {
    const index = (change * 7919) % zones.length;
    const address = `198.51.100.${change % 250}`;
    zones = zones.with(index, zoneOf(index, { serial: 1 + change, address }));
    samplesMs.push(await measureChange(zones, { index, address }));
  }
  console.log(`a change in one zone, from the plan to the answer: ${spread(samplesMs)}`);
} finally {
  await close();
}

async function apply(zones: readonly ZonePlan[]): Promise<void> {
  sequence += 1;
  const dns = { zones, nodes: [], databases: [], health: {} };
  const report = await plane.apply(testSnapshot(sequence, { dns }));
  const trouble = report.zones.find(({ error }) => error !== undefined);
  if (trouble !== undefined) throw new Error(trouble.error);
}

async function measureChange(
  zones: readonly ZonePlan[],
  { index, address }: { readonly index: number; readonly address: string },
): Promise<number> {
  const startMs = performance.now();
  const applied = apply(zones);
  const asked = { name: `h0.z${index}.test`, type: 'A', port: PORT, subnet: '8.8.8.0' } as const;
  for (;;) {
    const [line = ''] = await ask(asked);
    const tookMs = performance.now() - startMs;
    if (line.endsWith(` ${address}`) || tookMs > CHANGE_MS_MAX) {
      await applied;
      return tookMs;
    }
  }
}

function zoneOf(index: number, { serial = 1, address = '192.0.2.1' } = {}): ZonePlan {
  const origin = `z${index}.test`;
  const ns = `ns1.${origin}`;
  return zonePlan(origin, {
    serial,
    records: [
      records(origin, 'NS', ns),
      records(ns, 'A', '127.0.0.1'),
      ...Array.from({ length: recordsEach - 2 }, (_, host) => hostRecords(origin, host, address)),
    ],
  });
}

/** Of the types that zones are full of. */
function hostRecords(origin: string, host: number, address: string): ReturnType<typeof records> {
  const name = `h${host}.${origin}`;
  switch (host % 10) {
    case 7:
      return records(name, 'CNAME', `h0.${origin}`);
    case 8:
      return records(name, 'TXT', '"v=spf1 include:_spf.example.net -all"');
    case 9:
      return records(name, 'MX', `10 h0.${origin}`);
    default:
      return records(name, 'A', host === 0 ? address : `192.0.2.${host % 250}`);
  }
}
