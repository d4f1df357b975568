import { afterEach, describe, expect, test } from 'vitest';
import { turns } from '../../runtime/node/settle.ts';
import { linkCases } from '../../runtime/session/link.case.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import { seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { type FrameFate, Wire, type WirePorts } from './wire.ts';

const random = seededRandom('link');
const soon: FrameFate = { kind: 'delivered', latencyMs: 1 };

describe('a wire without faults', () => {
  const pumps: AbortController[] = [];
  afterEach(() => {
    for (const pump of pumps.splice(0)) pump.abort();
  });
  linkCases(async () => {
    const { wire, scheduler } = make({
      fate: () => ({ kind: 'delivered', latencyMs: random.integer(1, 9) }),
    });
    const pump = new AbortController();
    pumps.push(pump);
    void run(scheduler, pump.signal);
    return wire;
  });
});

test('a lost frame ends the link: what went before it arrives, and both ends learn of it', async () => {
  const fates: FrameFate[] = [soon, { kind: 'lost', noticedAfterMs: 50 }];
  const { wire, scheduler } = make({ fate: () => fates.shift() ?? soon });
  const [atDom, atSub] = [readAll(wire.dom), readAll(wire.sub)];
  for (const text of ['one', 'two', 'three']) wire.sub.send(Buffer.from(text));
  await scheduler.run(49);
  expect(atSub).toEqual([]);
  await scheduler.run(100);
  expect(atDom).toEqual(['one', 'the connection broke']);
  expect(atSub).toEqual(['the connection broke']);
});

test('half-open: nothing passes either way, and nobody is told', async () => {
  const fates: FrameFate[] = [soon, { kind: 'lost', noticedAfterMs: Infinity }];
  const { wire, scheduler } = make({ fate: () => fates.shift() ?? soon });
  const [atDom, atSub] = [readAll(wire.dom), readAll(wire.sub)];
  for (const text of ['one', 'two', 'three']) wire.sub.send(Buffer.from(text));
  wire.dom.send(Buffer.from('answer'));
  await scheduler.run(1_000_000);
  expect(atDom).toEqual(['one']);
  expect(atSub).toEqual([]);
});

test('silenced one way: the other way goes on', async () => {
  const { wire, scheduler } = make({
    fate: (from) => (from === 'sub' ? { kind: 'silenced' } : soon),
  });
  const [atDom, atSub] = [readAll(wire.dom), readAll(wire.sub)];
  wire.sub.send(Buffer.from('lost'));
  wire.dom.send(Buffer.from('answer'));
  wire.sub.close();
  await scheduler.run(1_000_000);
  expect(atDom).toEqual([]);
  // Its own close is all that ends it.
  expect(atSub).toEqual(['end']);
});

test('what goes into silence fills the buffer: send says false, and only the end drains it', async () => {
  const { wire, scheduler } = make({ fate: () => ({ kind: 'silenced' }), windowFrames: 3 });
  const said = ['a', 'b', 'c', 'd'].map((text) => wire.sub.send(Buffer.from(text)));
  expect(said).toEqual([true, true, false, false]);
  let drained = false;
  void wire.sub.drained().then(() => {
    drained = true;
  });
  await scheduler.run(1_000_000);
  expect(drained).toBe(false);
  wire.sub.close();
  await scheduler.run(1_000_001);
  expect(drained).toBe(true);
});

test('a stall: nothing for a while, then all at once and in order; send says false meanwhile', async () => {
  const fates: FrameFate[] = [soon, { kind: 'delivered', latencyMs: 5_000 }];
  const { wire, scheduler } = make({ fate: () => fates.shift() ?? soon, windowFrames: 3 });
  const atDom = readAll(wire.dom);
  const said = ['one', 'two', 'three', 'four'].map((text) => wire.sub.send(Buffer.from(text)));
  expect(said).toEqual([true, true, false, false]);
  await scheduler.run(4_999);
  expect(atDom).toEqual(['one']);
  await scheduler.run(5_000);
  expect(atDom).toEqual(['one', 'two', 'three', 'four']);
});

test('where nothing passes frames are sent again, until it does', async () => {
  let gate: 'open' | 'closed' = 'closed';
  const { wire, scheduler } = make({ passes: (from) => from === 'dom' || gate === 'open' });
  const [atDom, atSub] = [readAll(wire.dom), readAll(wire.sub)];
  for (const text of ['one', 'two']) wire.sub.send(Buffer.from(text));
  wire.dom.send(Buffer.from('answer'));
  await scheduler.run(20_000);
  expect([atDom, atSub]).toEqual([[], ['answer']]);
  gate = 'open';
  await scheduler.run(30_000);
  expect(atDom).toEqual(['one', 'two']);
});

test('an end that closes reads nothing more, whatever is on its way', async () => {
  const { wire, scheduler } = make({ fate: () => ({ kind: 'delivered', latencyMs: 10 }) });
  wire.dom.send(Buffer.from('late'));
  const atSub = readAll(wire.sub);
  wire.sub.close();
  await scheduler.run(100);
  expect(atSub).toEqual(['end']);
});

test('frames that were sent although send said false are counted', async () => {
  const excess: number[] = [];
  const { wire } = make({
    windowFrames: 2,
    onFrame: (_from, _frame, excessFrames) => void excess.push(excessFrames),
  });
  for (const text of ['one', 'two', 'three', 'four']) wire.sub.send(Buffer.from(text));
  expect(excess).toEqual([0, 0, 1, 2]);
});

test('it is over once both ends know', async () => {
  const { wire, scheduler } = make({});
  let over = false;
  void wire.over.then(() => {
    over = true;
  });
  wire.sub.close();
  await scheduler.run(0);
  expect(over).toBe(false);
  await scheduler.run(10);
  expect(over).toBe(true);
});

function make(ports: Partial<WirePorts>): { wire: Wire; scheduler: Scheduler } {
  const scheduler = new Scheduler({ random, turns });
  const wire = new Wire({
    ...{ scheduler, windowFrames: 16, fate: () => soon, passes: () => true },
    onFrame: () => undefined,
    ...ports,
  });
  return { wire, scheduler };
}

/** Virtual time goes on by itself, as fast as it can. */
async function run(scheduler: Scheduler, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await scheduler.run(scheduler.nowMs + 1);
}

/** What has been read by now; at last the word of its end. */
function readAll(link: Link): readonly string[] {
  const read: string[] = [];
  const reading = async (): Promise<void> => {
    for await (const frame of link.frames()) read.push(Buffer.from(frame).toString());
    read.push('end');
  };
  reading().catch((error: unknown) => {
    read.push(error instanceof LinkClosedError ? error.message : String(error));
  });
  return read;
}
