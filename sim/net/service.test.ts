import { describe, expect, test } from 'vitest';
import { Process } from '../engine/process.ts';
import { seededRandom } from '../engine/random.ts';
import { Trace } from '../engine/trace.ts';
import { collect, testWays } from './net.fixture.ts';
import { apart } from './reachability.ts';
import { Service, type ServiceFaults } from './service.ts';

/** Asks for so many numbers. */
type Counting = Service<number, Uint8Array>;

test('an answer comes piece by piece, from whoever offers it there', async () => {
  const { ask, offer, run } = play();
  offer('dom-1');
  const got = ask(3);
  // Four crossings until it is asked, a fifth back: 5 × 42 ms.
  await run(205);
  expect(got).toEqual([]);
  await run(10);
  expect(got).toEqual(['1', '2', '3', 'end']);
});

test('what the handler throws, the caller gets', async () => {
  const { ask, offer, run } = play();
  offer('dom-1');
  const got = ask(-1);
  await run(1_000);
  expect(got).toEqual(['nobody counts so far']);
});

describe('nobody there', () => {
  test('refused, or never an answer', async () => {
    const { ask, run } = play();
    const got = Array.from({ length: 10 }, () => ask(1));
    await run(60_000);
    const said = new Set(got.map((each) => each.join()));
    expect(said).toEqual(new Set(['', 'ask dom-1 for numbers: connection refused']));
  });

  test('only the signal ends a call that nothing answers', async () => {
    const { ask, offer, run, ways } = play();
    offer('dom-1');
    ways.reachability.cut({ from: ['dom-1'], to: 'all' });
    const over = new AbortController();
    const got = ask(1, { signal: over.signal });
    await run(60_000);
    expect(got).toEqual([]);
    over.abort(new Error('enough'));
    await run(1);
    expect(got).toEqual(['enough']);
  });
});

describe('what befalls a stream', () => {
  test('it breaks', async () => {
    const { ask, offer, run } = play({ cut: 1 });
    offer('dom-1');
    const got = ask(3);
    await run(1_000);
    expect(got).toEqual(['ask dom-1 for numbers: the stream broke']);
  });

  test('it hangs', async () => {
    const { ask, offer, run } = play({ hang: 1 });
    offer('dom-1');
    const got = ask(3);
    await run(100_000);
    expect(got).toEqual([]);
  });

  test('a partition breaks it, or makes it hang', async () => {
    const outcomes = new Set<string>();
    for (let count = 0; count < 10; count += 1) {
      const { ask, offer, run, ways } = play({}, `partition ${count}`);
      offer('dom-1');
      const got = ask(100_000);
      await run(300);
      const heal = apart(['newyork'], ['dom-1']).map((cut) => ways.reachability.cut(cut));
      await run(1_000);
      for (const each of heal) each();
      await run(1_000);
      outcomes.add(got.at(-1)?.startsWith('ask') === true ? 'breaks' : 'hangs');
    }
    expect([...outcomes].toSorted()).toEqual(['breaks', 'hangs']);
  });
});

describe('processes', () => {
  test('one that stands still answers once it goes on', async () => {
    const { ask, offer, run } = play();
    const server = offer('dom-1');
    server.pause();
    const got = ask(1);
    await run(10_000);
    expect(got).toEqual([]);
    server.resume();
    await run(1_000);
    expect(got).toEqual(['1', 'end']);
  });

  test('one that is gone: the caller learns so, sooner or later or never', async () => {
    const outcomes = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      const { ask, offer, run } = play({}, `gone ${count}`);
      const server = offer('dom-1');
      const got = ask(100_000);
      await run(300);
      server.kill();
      await run(60_000);
      outcomes.add(got.at(-1)?.startsWith('ask') === true ? 'told' : 'waits');
    }
    expect([...outcomes].toSorted()).toEqual(['told', 'waits']);
  });

  test('the handler is let go when its caller has gone', async () => {
    const { ask, offer, run, handled } = play();
    offer('dom-1');
    const caller = new Process('newyork#1');
    ask(100_000, { process: caller });
    await run(300);
    caller.kill();
    await run(10);
    const asked = handled.pieces;
    await run(1_000);
    expect([handled.pieces, handled.left]).toEqual([asked, 1]);
  });
});

function play(faults: Partial<ServiceFaults> = {}, seed = 'play') {
  const { ways, scheduler } = testWays({}, { seed });
  const random = seededRandom(seed);
  const trace = new Trace(() => scheduler.nowMs, { keep: 'hash' });
  const service: Counting = new Service(
    { scheduler, ways, trace, chance: (probability) => random.chance(probability) },
    {
      name: 'numbers',
      sizeBytes: (piece) => piece.length,
      faults: () => ({ cut: 0, hang: 0, ...faults }),
    },
  );
  const handled = { pieces: 0, left: 0 };
  async function* count(to: number): AsyncGenerator<Uint8Array> {
    if (to < 0) throw new Error('nobody counts so far');
    try {
      for (let number = 1; number <= to; number += 1) {
        handled.pieces += 1;
        yield Buffer.from(String(number));
      }
    } finally {
      handled.left += 1;
    }
  }
  return {
    ...{ ways, handled },
    run: (ms: number) => scheduler.run(scheduler.nowMs + ms),
    offer: (host: string) => {
      const process = new Process(`${host}#1`);
      service.offer(host, { process, handle: count });
      return process;
    },
    ask: (
      request: number,
      {
        process = new Process('newyork#1'),
        signal = new AbortController().signal,
      }: { readonly process?: Process; readonly signal?: AbortSignal } = {},
    ) => collect(service.call({ from: 'newyork', to: 'dom-1', process, request, signal })),
  };
}
