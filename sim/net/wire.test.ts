import { afterEach, describe, expect, test } from 'vitest';
import { linkCases } from '../../runtime/link.case.ts';
import { LinkClosedError } from '../../runtime/link.ts';
import { turns } from '../../runtime/node/settle.ts';
import { seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { type FrameFate, Wire } from './wire.ts';

const pumps: AbortController[] = [];
afterEach(() => {
  for (const pump of pumps.splice(0)) pump.abort();
});

describe('a wire without faults', () => {
  linkCases(async () => make(() => ({ kind: 'delivered', latencyMs: random.integer(1, 9) })));
});

test('a lost frame ends the link: both ends learn of it, and nothing after it arrives', async () => {
  let count = 0;
  const wire = make(() => {
    count += 1;
    return count === 2 ? { kind: 'lost', noticedAfterMs: 50 } : { kind: 'delivered', latencyMs: 1 };
  });
  for (const text of ['one', 'two', 'three']) wire.sub.send(Buffer.from(text));
  expect(await readAll(wire.dom)).toEqual(['the connection broke']);
  expect(await readAll(wire.sub)).toEqual(['the connection broke']);
});

const random = seededRandom('link');

function make(fate: () => FrameFate): Wire {
  const scheduler = new Scheduler({ random, turns });
  const pump = new AbortController();
  pumps.push(pump);
  void run(scheduler, pump.signal);
  return new Wire({ scheduler, fate, onFrame: () => undefined });
}

/** Virtual time goes on by itself, as fast as it can. */
async function run(scheduler: Scheduler, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await scheduler.run(scheduler.nowMs + 1);
}

async function readAll(link: Wire['sub']): Promise<readonly string[]> {
  const read: string[] = [];
  try {
    for await (const frame of link.frames()) read.push(Buffer.from(frame).toString());
  } catch (error) {
    if (!(error instanceof LinkClosedError)) throw error;
    read.push(error.message);
  }
  return read;
}
