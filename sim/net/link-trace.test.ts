import { expect, test } from 'vitest';
import { SessionRequest } from '../../proto/gen/b8s/v1/agent.ts';
import { turns } from '../../runtime/node/settle.ts';
import { Process } from '../engine/process.ts';
import { seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { Trace, type TraceLine } from '../engine/trace.ts';
import { LinkTrace } from './link-trace.ts';
import { type FrameFate, Wire } from './wire.ts';

const heartbeat = SessionRequest.encode({
  message: { $case: 'heartbeat', value: { sequence: 1n } },
}).finish();

test('a frame that is read follows from where it was sent', async () => {
  const lines = await play({ frames: 2, fate: () => ({ kind: 'delivered', latencyMs: 3 }) });
  expect(lines.map(words)).toEqual([
    'london sends → dom heartbeat',
    'london sends → dom heartbeat',
    'dom receives ← london heartbeat < 0',
    'dom receives ← london heartbeat < 1',
  ]);
});

test('a frame that is lost is not read, nor is any after it; the one before it is', async () => {
  const fates: FrameFate[] = [
    { kind: 'delivered', latencyMs: 3 },
    { kind: 'lost', noticedAfterMs: 50 },
  ];
  const lines = await play({
    frames: 3,
    fate: () => fates.shift() ?? { kind: 'delivered', latencyMs: 1 },
  });
  expect(lines.map(({ kind }) => kind)).toEqual(['sends', 'sends', 'sends', 'receives']);
});

async function play({
  frames,
  fate,
}: {
  frames: number;
  fate: () => FrameFate;
}): Promise<readonly TraceLine[]> {
  const scheduler = new Scheduler({ random: seededRandom('link'), turns });
  const trace = new Trace(() => scheduler.nowMs, { keep: 'lines' });
  const [sub, dom] = [new Process('london#1'), new Process('dom#1')];
  const link = new LinkTrace(trace, {
    sub: { host: 'london', process: sub },
    dom: { host: 'dom', process: dom },
  });
  const wire = new Wire({
    ...{ scheduler, fate, windowFrames: 16, passes: () => true },
    onFrame: (from, bytes) => link.sent(from, bytes),
  });
  void read(link.end('dom', dom.wrap(wire.dom)).frames());
  const end = link.end('sub', sub.wrap(wire.sub));
  for (let left = frames; left > 0; left -= 1) end.send(heartbeat);
  await scheduler.run(100);
  return trace.lines();
}

async function read(frames: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _ of frames);
  } catch {
    // The link broke.
  }
}

function words({ host, kind, what, causes }: TraceLine): string {
  return [host, kind, what, ...(causes.length > 0 ? ['<', ...causes] : [])].join(' ');
}
