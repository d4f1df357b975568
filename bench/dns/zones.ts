import { parseArgs } from 'node:util';
import { records, zonePlan } from '../../agent/dns/dns.fixture.ts';
import { testSnapshot } from '../../agent/plane/plane-fixture.ts';
import { HELD_PLAN_PATH, planFile } from '../../agent/session/plan-file.ts';
import { PlanHolder } from '../../agent/session/plan-holder.ts';
import { planObjects } from '../../agent/session/plan-objects.ts';
import { Plan } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { silentLog } from '../../runtime/log.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { planDigest, rememberedDigests } from '../../runtime/plan-digest.ts';
import { processUsage, spread } from '../figures.ts';
import { ask } from './ask.ts';
import { openBenchPlane } from './plane.ts';

/*
 * MALLOC_ARENA_MAX=2 node --max-semi-space-size=2 bench/dns/zones.ts [--zones 10000]
 * [--records 100] [--changes 20], with the settings of bin/sub: how long a nameserver
 * takes until it serves so many zones with so many records each, what it holds then, and how long
 * a change of one zone takes from the plan's arrival, through the disk, until a query is answered
 * with it.
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
const { plane, folder, close } = await openBenchPlane(PORT);
const holder = new PlanHolder(planFile(nodeDisk(folder), HELD_PLAN_PATH, silentLog), silentLog);
const digestOf = rememberedDigests();
process.once('SIGINT', () => void close().then(() => process.exit(130)));
let sequence = 0;
/** Of the last plan. */
let arrivedMs = 0;
try {
  const zones = Array.from({ length: Number(values.zones) }, (_, index) => zoneOf(index));
  const rssMbBefore = processUsage(process.pid).rssMb;
  const startMs = performance.now();
  await take(zones);
  const heldMs = performance.now();
  await apply();
  const seconds = [heldMs - startMs, performance.now() - heldMs].map((ms) =>
    (ms / 1000).toFixed(1),
  );
  const { rssMb } = processUsage(process.pid);
  const what = `${zones.length} zones with ${recordsEach} records each`;
  console.log(`${what}: on disk after ${seconds[0]} s, served ${seconds[1]} s after that`);
  console.log(
    `${rssMb.toFixed(0)} MB resident (${rssMbBefore.toFixed(0)} MB before, the plan in memory)`,
  );
  const samples: { readonly diskMs: number; readonly allMs: number }[] = [];
  for (let change = 1; change <= Number(values.changes); change += 1) {
    const index = (change * 7919) % zones.length;
    samples.push(await measureChange(index, { change, address: `198.51.100.${change % 250}` }));
  }
  const all = spread(samples.map(({ allMs }) => allMs));
  console.log(`a change in one zone, from the plan to the answer: ${all}`);
  console.log(`of it until it is on disk: ${spread(samples.map(({ diskMs }) => diskMs))}`);
} finally {
  await close();
}

/** As a plan from dom: the first one is a snapshot, the others are changes to it. */
async function take(zones: readonly ZonePlan[]): Promise<void> {
  const { held } = holder;
  sequence += 1;
  const position = { epoch: 1n, revision: BigInt(sequence) };
  const upserts = zones.map(objectOf);
  const objects = new Map(held?.objects);
  for (const object of upserts) objects.set(object.key, object);
  const digest = planDigest(objects, digestOf);
  const fixed = { removals: [], heartbeatIntervalMs: 0, base: held?.position };
  // Bytes, as they would come.
  const bytes = Plan.encode({ ...fixed, position, upserts, digest }).finish();
  arrivedMs = performance.now();
  const outcome = await holder.take(Plan.decode(bytes));
  if (outcome !== 'new') throw new Error(`the plan was not taken: ${outcome}`);
}

async function apply(): Promise<void> {
  const { zones } = planObjects(holder.held?.objects ?? new Map());
  const dns = { zones, nodes: [], databases: [], health: {} };
  const report = await plane.apply(testSnapshot(sequence, { dns }));
  const trouble = report.zones.find(({ error }) => error !== undefined);
  if (trouble !== undefined) throw new Error(trouble.error);
}

async function measureChange(
  index: number,
  { change, address }: { readonly change: number; readonly address: string },
): Promise<{ readonly diskMs: number; readonly allMs: number }> {
  await take([zoneOf(index, { serial: 1 + change, address })]);
  const startMs = arrivedMs;
  const diskMs = performance.now() - startMs;
  const applied = apply();
  const asked = { name: `h0.z${index}.test`, type: 'A', port: PORT, subnet: '8.8.8.0' } as const;
  for (;;) {
    const [line = ''] = await ask(asked);
    const allMs = performance.now() - startMs;
    if (line.endsWith(` ${address}`) || allMs > CHANGE_MS_MAX) {
      await applied;
      return { diskMs, allMs };
    }
  }
}

function objectOf(zone: ZonePlan): PlanObject {
  return { key: `zone/${zone.uid}`, object: { $case: 'zone', value: zone } };
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
