import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { until } from '../../e2e/support/processes.ts';
import { processUsage, spread } from '../figures.ts';
import { type RealDom, startDom } from './cluster.ts';
import { Fleet } from './fleet.ts';
import { measureFloor } from './floor.ts';

/*
 * node bench/convergence/main.ts [--sessions 10,100,1000] [--changes 20]: how long one change of a
 * Site takes from dom's answer until every node has acknowledged it, over real mutual TLS.
 *
 * The clock is this process's alone. A session counts as having acknowledged when dom echoes the
 * heartbeat that followed its report on the same stream: dom had read the report before, so the
 * true moment is a little earlier. The sessions are in this process, dom has one of its own; on
 * two cores the client side takes about as much as dom does.
 */
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '10,100,1000' },
    changes: { type: 'string', default: '20' },
  },
});
const CHANGES = Number(values.changes);
const CHANGE_TIMEOUT_MS = 60_000;
/** Between changes, so that each finds a dom that has come to rest. */
const REST_MS = 1_000;

for (const count of values.sessions.split(',').map(Number)) {
  const dom = await startDom();
  try {
    await measure(dom, count);
  } finally {
    await dom.stop();
  }
}
process.exit(0);

async function measure(dom: RealDom, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `n${String(index).padStart(4, '0')}`);
  const startMs = performance.now();
  const nodes = await dom.join(names);
  const joinedMs = performance.now();
  await dom.declareSite();
  const before = processUsage(dom.pid);
  const fleet = new Fleet(nodes);
  await fleet.open();
  const openedMs = performance.now();
  await untilAtRest(dom);
  const opened = processUsage(dom.pid);
  const idleMs = await cpuWhile(dom, () => pause(2_000));

  const lastMs: number[] = [];
  const eachMs: number[] = [];
  const receivedMs: number[] = [];
  const applyMs: number[] = [];
  const cpuMs: number[] = [];
  for (let change = 1; change <= CHANGES; change += 1) {
    const startMs = performance.now();
    let answeredMs = startMs;
    const spentMs = await cpuWhile(dom, async () => {
      const generation = await dom.changeSite(60 + change);
      answeredMs = performance.now();
      const seen = await allSeen(fleet, generation);
      lastMs.push(Math.max(...seen.map((each) => each.acknowledgedMs)) - answeredMs);
      eachMs.push(...seen.map((each) => each.acknowledgedMs - answeredMs));
      receivedMs.push(...seen.map((each) => each.receivedMs - answeredMs));
      await untilAtRest(dom);
    });
    applyMs.push(answeredMs - startMs);
    cpuMs.push(spentMs - (idleMs / 2_000) * (performance.now() - startMs));
  }
  const { rssMb } = processUsage(dom.pid);
  fleet.close();
  const floorMs = await measureFloor({ sessions: count, rounds: CHANGES });

  console.log(`${count} sessions, ${CHANGES} changes of one Site:`);
  const [joinS, openS] = [joinedMs - startMs, openedMs - joinedMs].map((ms) => ms / 1000);
  console.log(
    `  made in                 ${joinS?.toFixed(1)} s, connected in ${openS?.toFixed(1)} s`,
  );
  console.log(`  the last acknowledged   ${spread(lastMs)} after dom's answer`);
  console.log(`  each acknowledged       ${spread(eachMs)}; received ${spread(receivedMs)}`);
  console.log(`  dom's answer            ${spread(applyMs)}`);
  console.log(`  grpc-js alone           ${spread(floorMs)} for 2 KB to all and all answers`);
  console.log(
    `  dom's CPU               ${spread(cpuMs)} a change; ${(idleMs / 20).toFixed(0)} % of a core when nothing changes`,
  );
  const perSessionKb = ((opened.rssMb - before.rssMb) * 1024) / count;
  console.log(
    `  dom's memory            ${opened.rssMb.toFixed(0)} MB RSS at rest, ${rssMb.toFixed(0)} MB after the changes; ${perSessionKb.toFixed(0)} KB a session`,
  );
}

interface Acknowledged {
  readonly receivedMs: number;
  readonly acknowledgedMs: number;
}

async function allSeen(fleet: Fleet, generation: bigint): Promise<readonly Acknowledged[]> {
  const look = async (): Promise<readonly Acknowledged[] | undefined> => {
    const seen = fleet.sessions.flatMap((session) => {
      if (session.error !== undefined)
        throw new Error('a session was lost', { cause: session.error });
      const { receivedMs, acknowledgedMs } = session.seen(generation) ?? {};
      return receivedMs === undefined || acknowledgedMs === undefined
        ? []
        : [{ receivedMs, acknowledgedMs }];
    });
    return seen.length === fleet.sessions.length ? seen : undefined;
  };
  return until(`all have acknowledged generation ${generation}`, look, {
    timeoutMs: CHANGE_TIMEOUT_MS,
    everyMs: 100,
  });
}

/** Waits until dom does no more than answer heartbeats. */
async function untilAtRest(dom: RealDom): Promise<void> {
  await pause(REST_MS);
  for (let round = 0; round < 30; round += 1)
    if ((await cpuWhile(dom, () => pause(300))) < 150) return;
}

async function cpuWhile(dom: RealDom, work: () => Promise<void>): Promise<number> {
  const before = processUsage(dom.pid).cpuMs;
  await work();
  return processUsage(dom.pid).cpuMs - before;
}
