import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { SessionRequest } from '../../proto/gen/b8s/v1/agent.ts';
import { processUsage, spread } from '../figures.ts';
import { ask } from './ask.ts';
import { askAll } from './ask-all.ts';
import { frameLink } from './frame-link.ts';
import { zonePlans } from './zone-plans.ts';

/*
 * node bench/dns/zones.ts [--zones 10000] [--records 100] [--changes 20] [--ask-all]: how long a nameserver takes
 * until it serves so many zones with so many records each, what it holds then, and how long a
 * change of one zone takes from the plan's arrival, through the disk, until a query is answered
 * with it; and what it holds once each name was asked for. This process is dom and the resolver; sub is one of its own, with the settings of bin/sub.
 */
const { values } = parseArgs({
  options: {
    zones: { type: 'string', default: '10000' },
    records: { type: 'string', default: '100' },
    changes: { type: 'string', default: '20' },
    'ask-all': { type: 'boolean', default: false },
  },
});
const DNS_PORT = 15_390;
const WAIT_MS_MAX = 60_000;
/** Between changes: a report and what V8 does when it is idle. */
const PAUSE_MS = 150;
const [zones, recordsEach] = [Number(values.zones), Number(values.records)];
const plans = zonePlans(zones, recordsEach);
// Before sub dials, which does not wait for long.
const first = plans.first();
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const sub = startSub();
process.once('SIGINT', () => void sub.kill());
let durableMs = 0;
sub.on('message', () => {
  durableMs = performance.now();
});
try {
  const [socket] = (await once(server, 'connection')) as [Socket];
  const link = frameLink(socket);
  void readReports(socket);
  const idleMb = rssMb();
  const startMs = performance.now();
  const startCpuMs = cpuMs();
  link.send(first);
  await answered(0, '192.0.2.1');
  const [diskS, servedS] = [durableMs - startMs, performance.now() - startMs].map(seconds);
  console.log(`${zones} zones with ${recordsEach} records each, ${mb(first.length)} as a plan:`);
  console.log(`on disk after ${diskS} s, served after ${servedS} s; ${cpuS(startCpuMs)} s of CPU`);
  await pause(2000);
  console.log(`sub: ${idleMb} MB resident before, ${rssMb()} MB after, ${peakMb()} MB at most`);
  const changeCpuMs = cpuMs();
  const samples: { readonly diskMs: number; readonly allMs: number }[] = [];
  for (let change = 1; change <= Number(values.changes); change += 1) {
    const index = (change * 7919) % zones;
    const address = `198.51.100.${change % 250}`;
    const frame = plans.change(index, address);
    const sentMs = performance.now();
    link.send(frame);
    const allMs = (await answered(index, address)) - sentMs;
    samples.push({ diskMs: durableMs - sentMs, allMs });
    await pause(PAUSE_MS);
  }
  console.log(`a change in one zone: ${spread(samples.map(({ allMs }) => allMs))}`);
  console.log(`of it until it is on disk: ${spread(samples.map(({ diskMs }) => diskMs))}`);
  console.log(`CPU for each: ${((cpuMs() - changeCpuMs) / samples.length).toFixed(0)} ms`);
  console.log(`sub: ${rssMb()} MB resident in the end, ${peakMb()} MB at most`);
  if (values['ask-all']) {
    const answers = await askAll(everyName(), DNS_PORT);
    console.log(`after ${answers} names were answered: ${rssMb()} MB, ${peakMb()} MB at most`);
  }
} finally {
  sub.kill();
  server.close();
}

function* everyName(): Generator<string> {
  for (let zone = 0; zone < zones; zone += 1) {
    for (let host = 0; host < recordsEach - 2; host += 1) yield `h${host}.z${zone}.test`;
  }
}

function startSub(): ChildProcess {
  const { port } = server.address() as { readonly port: number };
  const limits = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
  return fork(new URL('./zones-sub.ts', import.meta.url), [String(port), String(DNS_PORT)], {
    env: { ...process.env, MALLOC_ARENA_MAX: '2', ...limits },
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--expose-gc'],
  });
}

/** When the name was first answered so. */
async function answered(index: number, address: string): Promise<number> {
  const name = `h0.z${index}.test`;
  const endMs = performance.now() + WAIT_MS_MAX;
  while (performance.now() < endMs) {
    const [line = ''] = await ask({ name, type: 'A', port: DNS_PORT, subnet: '8.8.8.0' });
    if (line.endsWith(` ${address}`)) return performance.now();
  }
  throw new Error(`${name} is not answered with ${address}`);
}

async function readReports(socket: Socket): Promise<void> {
  try {
    for await (const frame of frameLink(socket).frames()) {
      const { message } = SessionRequest.decode(frame);
      if (message?.$case !== 'report') continue;
      const trouble = message.value.zones.find(({ error }) => error !== '');
      const failed = message.value.conditions.find(({ status }) => !status);
      if (trouble !== undefined || failed !== undefined) {
        console.error('sub reports', trouble ?? failed);
      }
    }
  } catch {
    // Sub has ended.
  }
}

function cpuMs(): number {
  return processUsage(sub.pid ?? 0).cpuMs;
}

function cpuS(sinceMs: number): string {
  return seconds(cpuMs() - sinceMs);
}

function rssMb(): string {
  return processUsage(sub.pid ?? 0).rssMb.toFixed(0);
}

/** The most that it ever held. */
function peakMb(): string {
  const status = readFileSync(`/proc/${sub.pid}/status`, 'utf8');
  return (Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024).toFixed(0);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function mb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
