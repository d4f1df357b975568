import { expect, test } from 'vitest';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import type { ToWorker } from './messages.ts';
import type { WorkerKind } from './plane.ts';
import { createThreadedPlane } from './threaded-plane.ts';
import { createTicketKeys, TICKET_KEYS_MS } from './ticket-keys.ts';
import type { PlaneWorkerHandle } from './worker-pool.ts';

test('every hour all workers get the same new key, and those that start later begin with it', async () => {
  const clock = virtualClock();
  let drawn = 0;
  const random = { next: () => 0.5, bytes: (count: number) => Buffer.alloc(count, (drawn += 1)) };
  const tickets = createTicketKeys(random);
  const told: { readonly kind: WorkerKind; readonly keys: Uint8Array }[] = [];
  const plane = createThreadedPlane({
    ...{ clock, random, tickets, log: silentLog, disk: memoryDisk() },
    workers: { spawn: (kind) => listening((keys) => told.push({ kind, keys })) },
    counts: { edge: 2, dns: 1 },
    readShared: none,
    compileGeo: none,
  });
  const first = tickets.current();
  expect(first.length).toBe(48);
  await clock.advance(TICKET_KEYS_MS - 1);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(tickets.current()).not.toEqual(first);
  const keys = tickets.current();
  expect(told).toEqual(['edge', 'edge', 'dns'].map((kind) => ({ kind, keys })));
  await clock.advance(TICKET_KEYS_MS);
  expect(told).toHaveLength(6);
  expect(told.at(-1)?.keys).not.toEqual(keys);
  const closed = plane.close();
  await clock.advance(2 * TICKET_KEYS_MS);
  await closed;
  expect(told).toHaveLength(6);
});

function none(): Promise<never> {
  return Promise.reject(new Error('there is none'));
}

function listening(onKeys: (keys: Uint8Array) => void): PlaneWorkerHandle {
  const onMessage: Parameters<PlaneWorkerHandle['onMessage']>[0][] = [];
  const onExit: Parameters<PlaneWorkerHandle['onExit']>[0][] = [];
  return {
    post(message: ToWorker) {
      if (message.kind === 'tickets') onKeys(message.keys);
      if (message.kind === 'ping') for (const each of onMessage) each({ kind: 'pong' });
      if (message.kind === 'close') for (const each of onExit) each('closed');
    },
    onMessage: (listener) => void onMessage.push(listener),
    onExit: (listener) => void onExit.push(listener),
    terminate: () => undefined,
  };
}
