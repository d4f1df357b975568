import { describe, expect, test } from 'vitest';
import {
  type ExplainReply,
  Hello,
  Plan,
  Report,
  SessionRequest,
  SessionResponse,
} from '../../proto/gen/b8s/v1/agent.ts';
import { silentLog } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import { type LinkPair, linkPair } from '../../runtime/session/memory-link.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { HEARTBEAT_INTERVAL_MS, REPORT_INTERVAL_MS, type SessionHost } from './conversation.ts';
import { createSession, REFUSED_RETRY_MS } from './session.ts';

/** The longest jitter, so that a wait is as long as its bound. */
const slowest: Random = { next: () => 1, bytes: (count) => new Uint8Array(count) };

describe('session', () => {
  test('says hello first, then reports', async () => {
    const world = await start();
    expect(world.said().map(({ $case }) => $case)).toEqual(['hello', 'report']);
    await world.stop();
  });

  test('sends heartbeats at the interval of the plan', async () => {
    const world = await start();
    world.say({ $case: 'plan', value: Plan.fromPartial({ heartbeatIntervalMs: 500 }) });
    await world.clock.advance(HEARTBEAT_INTERVAL_MS);
    world.say({ $case: 'heartbeat', value: { sequence: 1n } });
    await world.clock.advance(1000);
    expect(world.beats()).toEqual([1n, 2n, 3n]);
    await world.stop();
  });

  test('a burst of changes makes two reports at once and one more at the end', async () => {
    const world = await start();
    await world.clock.advance(REPORT_INTERVAL_MS);
    for (let burst = 1; burst <= 4; burst += 1) {
      for (let change = 1; change <= 50; change += 1) world.change();
      await world.clock.advance(0);
    }
    expect(world.reports()).toEqual([0n, 50n, 100n]);
    await world.clock.advance(REPORT_INTERVAL_MS);
    expect(world.reports()).toEqual([0n, 50n, 100n, 200n]);
    await world.stop();
  });

  test('what is as it was told is not told again, but in the next session', async () => {
    const world = await start();
    for (let times = 1; times <= 3; times += 1) {
      world.session.reportSoon();
      await world.clock.advance(REPORT_INTERVAL_MS);
    }
    expect(world.reports()).toEqual([0n]);
    world.pair().mute();
    await world.clock.advance(3 * HEARTBEAT_INTERVAL_MS + 250);
    expect([world.dials().length, ...world.reports()]).toEqual([2, 0n]);
    await world.stop();
  });

  test('gives up a link on which dom has been silent for three intervals, and dials again', async () => {
    const world = await start();
    world.pair().mute();
    await world.clock.advance(3 * HEARTBEAT_INTERVAL_MS - 1);
    expect(world.session.state()).toEqual({ phase: 'connected' });
    await world.clock.advance(1);
    expect(world.session.state()).toMatchObject({
      phase: 'waiting',
      error: 'dom has been silent for 6000 ms',
    });
    await world.clock.advance(250);
    expect(world.dials()).toEqual([0, 6250]);
    expect(world.said()[0]?.$case).toBe('hello');
    await world.stop();
  });

  test('a heartbeat of dom keeps the link', async () => {
    const world = await start();
    for (let second = 0; second < 30; second += 5) {
      world.say({ $case: 'heartbeat', value: { sequence: 1n } });
      await world.clock.advance(5000);
    }
    expect(world.dials()).toEqual([0]);
    await world.stop();
  });

  test('a plan that does not come though dom is there is waited for twice as long each time', async () => {
    const world = await start();
    for (const waitMs of [6_000, 12_000, 24_000]) {
      const dialled = world.dials().length;
      world.say({ $case: 'heartbeat', value: { sequence: 0n } });
      await world.clock.advance(waitMs - 1);
      expect(world.dials().length).toBe(dialled);
      await world.clock.advance(1);
      expect(world.session.state()).toMatchObject({
        error: `no plan came from dom for ${waitMs} ms`,
      });
      while (world.dials().length === dialled) await world.clock.advance(250);
    }
    world.say({ $case: 'heartbeat', value: { sequence: 0n } });
    await world.clock.advance(40_000);
    world.say({ $case: 'plan', value: Plan.fromPartial({}) });
    expect(world.session.state()).toEqual({ phase: 'connected' });
    // From here on it is as ever.
    const dialled = world.dials().length;
    await world.clock.advance(12_000);
    expect(world.dials().length).toBeGreaterThan(dialled);
    await world.stop();
  });

  test('a dom that says nothing at all is waited for no longer than before', async () => {
    const world = await start();
    for (const _ of [1, 2, 3]) {
      const dialled = world.dials().length;
      await world.clock.advance(6_000);
      expect(world.session.state()).toMatchObject({ error: 'dom has been silent for 6000 ms' });
      while (world.dials().length === dialled) await world.clock.advance(250);
    }
    await world.stop();
  });

  test('a slow disk is not taken for a silent dom', async () => {
    const slow = Promise.withResolvers<'taken'>();
    const world = await start({ takePlan: () => slow.promise });
    world.say({ $case: 'plan', value: Plan.fromPartial({}) });
    await world.clock.advance(20_000);
    expect(world.dials()).toEqual([0]);
    slow.resolve('taken');
    await world.stop();
  });

  test('backs off exponentially up to the cap while dom is away', async () => {
    const world = await start({ dial: () => 'lost' });
    await world.clock.advance(45_000);
    const dials = world.dials();
    const waits = dials.slice(1).map((dial, index) => dial - (dials[index] ?? 0));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    await world.stop();
  });

  test('of several doms each is asked before it waits for long', async () => {
    const world = await start({ doms: 3, dial: () => 'lost' });
    await world.clock.advance(1_500);
    expect(world.dials()).toEqual([0, 100, 200, 450, 550, 650, 1150, 1250, 1350]);
    await world.stop();
  });

  test('starts the backoff over after a session that lived a while', async () => {
    const world = await start({ dial: (count) => (count < 5 ? 'lost' : 'open') });
    await world.clock.advance(250 + 500 + 1000 + 2000);
    expect(world.session.state()).toEqual({ phase: 'connected' });
    for (let second = 0; second < 10; second += 5) {
      world.say({ $case: 'heartbeat', value: { sequence: 1n } });
      await world.clock.advance(5000);
    }
    world.pair().cut();
    await world.clock.advance(250);
    expect(world.dials().length).toBe(6);
    await world.stop();
  });

  test('knocks seldom where it is refused', async () => {
    const world = await start({ dial: () => 'refused' });
    await world.clock.advance(REFUSED_RETRY_MS - 1);
    expect(world.dials()).toEqual([0]);
    await world.clock.advance(1);
    expect(world.dials()).toEqual([0, REFUSED_RETRY_MS]);
    await world.stop();
  });

  test('a dial without an answer is given up, and a link that comes late is closed', async () => {
    const late = linkPair();
    const never = Promise.withResolvers<Link>();
    const world = await start({ dial: (count) => (count === 1 ? never.promise : 'open') });
    await world.clock.advance(10_250);
    expect(world.dials()).toEqual([0, 10_250]);
    never.resolve(late.sub);
    await world.clock.advance(0);
    const next = await late.dom.frames()[Symbol.asyncIterator]().next();
    expect(next.done).toBe(true);
    await world.stop();
  });

  test('dials again after a gap, saying what it holds', async () => {
    const world = await start({ takePlan: async () => 'gap' });
    world.say({ $case: 'plan', value: Plan.fromPartial({}) });
    await world.clock.advance(250);
    expect(world.dials()).toEqual([0, 250]);
    expect(world.said()[0]).toMatchObject({ $case: 'hello', value: { heldDigest: 'held' } });
    await world.stop();
  });

  test('sends no report while dom does not read, and then only the latest', async () => {
    const world = await start();
    await world.clock.advance(REPORT_INTERVAL_MS);
    world.readNothing();
    for (let change = 1; change <= 100; change += 1) {
      world.change();
      world.say({ $case: 'heartbeat', value: { sequence: 1n } });
      await world.clock.advance(REPORT_INTERVAL_MS);
    }
    const sentBefore = world.composed();
    expect(sentBefore).toBeLessThan(30);
    world.readAgain();
    await world.clock.advance(REPORT_INTERVAL_MS);
    expect(world.reports().at(-1)).toBe(100n);
    expect(world.composed()).toBeLessThanOrEqual(sentBefore + 2);
    await world.stop();
  });

  test('answers a question, and says why where it cannot', async () => {
    const world = await start({
      explain: async (id) => {
        if (id === 2n) throw new Error('no zone for it');
        return { id, explanation: undefined, error: '' };
      },
    });
    for (const id of [1n, 2n]) {
      const question = { id, name: 'blog.example.com', type: 'A', clientIp: '192.0.2.1' };
      world.say({ $case: 'explainQuestion', value: question });
    }
    await world.clock.advance(0);
    const replies = world.said().filter(({ $case }) => $case === 'explainReply');
    expect(replies.map(({ value }) => value)).toMatchObject([
      { id: 1n, error: '' },
      { id: 2n, error: 'no zone for it' },
    ]);
    await world.stop();
  });

  test('a frame that is no message ends the session, not the node', async () => {
    const world = await start();
    world.pair().dom.send(Uint8Array.of(0xff, 0xff, 0xff));
    await world.clock.advance(250);
    expect(world.dials()).toEqual([0, 250]);
    await world.stop();
  });
});

type Dialled = 'open' | 'lost' | 'refused' | Promise<Link>;

interface Behaviour {
  readonly doms?: number;
  /** `count` is 1 at the first dial. */
  readonly dial?: (count: number) => Dialled;
  readonly takePlan?: SessionHost['takePlan'];
  readonly explain?: (id: bigint) => Promise<ExplainReply>;
}

/** A session that runs against a dom which is played by the test. */
async function start(behaviour: Behaviour = {}) {
  const clock = virtualClock();
  const startMs = clock.monotonicMs();
  const pairs: LinkPair[] = [];
  const dials: number[] = [];
  const said: NonNullable<SessionRequest['message']>[] = [];
  const reading = { gate: Promise.resolve(), open: (): void => undefined };
  let changes = 0n;
  let composed = 0;

  async function readAll(link: Link): Promise<void> {
    for await (const frame of link.frames()) {
      await reading.gate;
      const { message } = SessionRequest.decode(frame);
      if (message !== undefined) said.push(message);
    }
  }

  async function dial(): Promise<Link> {
    dials.push(clock.monotonicMs() - startMs);
    const outcome = behaviour.dial?.(dials.length) ?? 'open';
    if (outcome instanceof Promise) return outcome;
    if (outcome !== 'open') throw new LinkClosedError(outcome, 'no');
    const pair = linkPair();
    pairs.push(pair);
    said.length = 0;
    void readAll(pair.dom).catch(() => undefined);
    return pair.sub;
  }

  const host: SessionHost = {
    hello: () => Hello.fromPartial({ node: 'london', heldDigest: 'held' }),
    takePlan: behaviour.takePlan ?? (async () => 'taken'),
    report: () => {
      composed += 1;
      return Report.fromPartial({ rssBytes: changes });
    },
    explain: async ({ id }) =>
      (await behaviour.explain?.(id)) ?? { id, explanation: undefined, error: '' },
  };
  const dialer = { dial, doms: behaviour.doms ?? 1 };
  const session = createSession({ clock, random: slowest, log: silentLog, dialer, host });
  const over = new AbortController();
  const running = session.run(over.signal);
  await clock.advance(0);

  const pair = (): LinkPair => pairs.at(-1)!;
  return {
    clock,
    session,
    pair,
    said: () => [...said],
    dials: () => [...dials],
    composed: () => composed,
    beats: () => said.flatMap((each) => (each.$case === 'heartbeat' ? [each.value.sequence] : [])),
    reports: () => said.flatMap((each) => (each.$case === 'report' ? [each.value.rssBytes] : [])),
    change: () => {
      changes += 1n;
      session.reportSoon();
    },
    say: (message: NonNullable<SessionResponse['message']>) => {
      pair().dom.send(SessionResponse.encode({ message }).finish());
    },
    readNothing: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      Object.assign(reading, { gate: promise, open: resolve });
    },
    readAgain: () => reading.open(),
    stop: async () => {
      over.abort();
      await clock.advance(0);
      await running;
    },
  };
}
