import { expect, test } from 'vitest';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { dnsLimited } from '../report.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { NOTHING_APPLIED, type WorkerKind } from './plane.ts';
import { CLOSE_MS_MAX, createWorkerPool, type PlaneWorkerHandle } from './worker-pool.ts';

/** A worker that does what its script says. */
interface FakeWorker extends PlaneWorkerHandle {
  readonly kind: WorkerKind;
  readonly received: ToWorker[];
  behaviour: 'well' | 'hung' | 'slow';
  say(message: FromWorker): void;
  exit(reason: string): void;
}

function fakeWorker(kind: WorkerKind): FakeWorker {
  const onMessage: ((message: FromWorker) => void)[] = [];
  const onExit: ((reason: string) => void)[] = [];
  const worker: FakeWorker = {
    kind,
    received: [],
    behaviour: 'well',
    say: (message) => onMessage.forEach((each) => each(message)),
    exit: (reason) => onExit.splice(0).forEach((each) => each(reason)),
    onMessage: (listener) => void onMessage.push(listener),
    onExit: (listener) => void onExit.push(listener),
    terminate: () => worker.exit('terminated'),
    post(message) {
      worker.received.push(message);
      if (worker.behaviour === 'hung') return;
      if (message.kind === 'ping') worker.say({ kind: 'pong' });
      if (message.kind === 'close') worker.exit('closed');
      if (message.kind === 'apply' && worker.behaviour === 'well')
        acknowledge(worker, message.sequence);
    },
  };
  return worker;
}

function acknowledge(worker: FakeWorker, sequence: number): void {
  worker.say({ kind: 'applied', sequence, report: NOTHING_APPLIED });
}

function apply(sequence: number): ToWorker {
  const edge = { sites: [], certificates: [], httpsPort: 443 };
  return { kind: 'apply', sequence, snapshot: { kind: 'edge', edge } };
}

function setUp({ edges = 2, born = 'well' as FakeWorker['behaviour'] } = {}) {
  const clock = virtualClock();
  const workers: FakeWorker[] = [];
  let greeting: ToWorker | undefined;
  let behaviour = born;
  const pool = createWorkerPool({
    workers: {
      spawn(kind) {
        const worker = fakeWorker(kind);
        worker.behaviour = behaviour;
        workers.push(worker);
        return worker;
      },
    },
    counts: { edge: edges, dns: 0 },
    clock,
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) },
    log: silentLog,
    greeting: () => greeting,
  });
  return {
    clock,
    workers,
    pool,
    worker: (index: number): FakeWorker => workers.at(index)!,
    bornFromNowOn: (next: FakeWorker['behaviour']) => {
      behaviour = next;
    },
    tell: (sequence: number): void => {
      greeting = apply(sequence);
      pool.broadcast('edge', greeting);
    },
    /** Whether the workers have settled, by now. */
    isSettled: async (sequence: number): Promise<boolean> => {
      const settled = pool.settled(sequence).then(() => true);
      await clock.advance(0);
      return Promise.race([settled, Promise.resolve(false)]);
    },
  };
}

test('a snapshot is settled once every worker has acknowledged it, or a newer one', async () => {
  const { tell, isSettled, worker } = setUp({ born: 'slow' });
  tell(1);
  acknowledge(worker(0), 1);
  expect(await isSettled(1)).toBe(false);
  acknowledge(worker(1), 1);
  expect(await isSettled(1)).toBe(true);
  tell(2);
  tell(3);
  acknowledge(worker(0), 3);
  acknowledge(worker(1), 3);
  expect(await isSettled(2)).toBe(true);
});

test('a worker that crashes is back at once, greeted with the last snapshot; the other is left alone', async () => {
  const { tell, isSettled, worker, workers, pool } = setUp();
  tell(4);
  worker(0).exit('bug');
  expect(workers).toHaveLength(3);
  expect(worker(2).received).toEqual([apply(4)]);
  expect(await isSettled(4)).toBe(true);
  expect(pool.state()).toMatchObject([
    { index: 0, phase: 'live', sequence: 4, restarts: 1 },
    { index: 1, phase: 'live', sequence: 4, restarts: 0 },
  ]);
});

test('what an ended worker still says is not heard', async () => {
  const { tell, isSettled, worker, bornFromNowOn } = setUp({ edges: 1 });
  bornFromNowOn('slow');
  tell(1);
  worker(0).exit('bug');
  acknowledge(worker(0), 1);
  expect(await isSettled(1)).toBe(false);
});

test('one that keeps crashing is started again ever more slowly, and nobody waits for it', async () => {
  const { tell, isSettled, worker, workers, pool, clock } = setUp({ edges: 1 });
  worker(0).exit('first');
  expect(workers).toHaveLength(2);
  worker(1).exit('second');
  expect(pool.state()).toMatchObject([{ phase: 'waiting', restarts: 2 }]);
  tell(1);
  expect(await isSettled(1)).toBe(true);
  expect(pool.reports('edge')).toEqual([]);
  await clock.advance(250);
  expect(workers).toHaveLength(3);
  expect(worker(2).received[0]).toEqual(apply(1));
  worker(2).exit('third');
  await clock.advance(250);
  expect(workers).toHaveLength(3);
  await clock.advance(250);
  expect(workers).toHaveLength(4);
  await clock.advance(60_000);
  worker(3).exit('after a long time: at once again');
  expect(workers).toHaveLength(5);
});

test('one that hangs is ended after five unanswered pings and replaced', async () => {
  const { worker, workers, clock, pool } = setUp();
  await clock.advance(2000);
  worker(0).behaviour = 'hung';
  await clock.advance(5000);
  expect(workers).toHaveLength(2);
  await clock.advance(1000);
  expect(workers).toHaveLength(3);
  expect(pool.state()).toMatchObject([{ restarts: 1 }, { restarts: 0 }]);
});

test('one that has not spoken yet gets longer: it may be loading', async () => {
  const { workers, clock, bornFromNowOn } = setUp({ edges: 1, born: 'hung' });
  bornFromNowOn('well');
  await clock.advance(15_000);
  expect(workers).toHaveLength(1);
  await clock.advance(1000);
  expect(workers).toHaveLength(2);
});

test('any word counts as an answer', async () => {
  const { workers, worker, clock } = setUp({ edges: 1 });
  worker(0).behaviour = 'hung';
  for (let second = 0; second < 20; second += 1) {
    worker(0).say({ kind: 'log', level: 'info', fields: {}, message: 'busy' });
    await clock.advance(1000);
  }
  expect(workers).toHaveLength(1);
});

test('close waits for the workers to end, cuts the hung ones, and starts none', async () => {
  const { workers, worker, pool, clock } = setUp();
  worker(0).behaviour = 'hung';
  let isClosed = false;
  const closed = pool.close().then(() => {
    isClosed = true;
  });
  await clock.advance(CLOSE_MS_MAX - 1);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  await closed;
  await clock.advance(60_000);
  expect(workers).toHaveLength(2);
});

test('what a nameserver’s limit has done is counted over restarts', async () => {
  const { clock, pool, workers } = setUp({ edges: 1 });
  const limited = (): unknown => pool.state()[0]?.limited;
  expect(limited()).toBeUndefined();
  workers[0]?.say({ kind: 'pong', limited: { dropped: 3, cut: 2, spared: 1 } });
  workers[0]?.say({ kind: 'pong', limited: { dropped: 5, cut: 4, spared: 1 } });
  workers[0]?.say({ kind: 'pong' });
  expect(limited()).toEqual({ dropped: 5, cut: 4, spared: 1 });
  workers[0]?.exit('a bug');
  expect(limited()).toEqual({ dropped: 5, cut: 4, spared: 1 });
  workers[1]?.say({ kind: 'pong', limited: { dropped: 1, cut: 1, spared: 1 } });
  expect(limited()).toEqual({ dropped: 6, cut: 5, spared: 2 });
  expect(dnsLimited([...pool.state(), ...pool.state()])).toEqual({
    ...{ dropped: 12n, cut: 10n, spared: 4n },
  });
  const closed = pool.close();
  await clock.advance(CLOSE_MS_MAX);
  await closed;
});

test('where nothing is limited nothing is said of it', () => {
  expect(dnsLimited([])).toBeUndefined();
});
