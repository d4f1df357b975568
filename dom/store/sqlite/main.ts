import { parentPort, workerData } from 'node:worker_threads';
import { inBatches } from './batches.ts';
import { failureOf } from './failure.ts';
import type { Message, Request, WorkerOptions } from './protocol.ts';
import { openDatabase } from './schema.ts';
import { StoreService } from './service.ts';

// The worker thread of `sqliteStore`: SQLite's calls block, so they run here.

const port = parentPort;
if (port === null) throw new Error('this is the worker thread of the SQLite store');
const { file } = workerData as WorkerOptions;
const send = inBatches((messages: readonly Message[]) => port.postMessage(messages));

try {
  const service = new StoreService({ file, database: openDatabase(file), send });
  port.on('message', (requests: readonly Request[]) => {
    for (const request of requests) service.handle(request);
    // Without the port and its timers nothing keeps the thread alive.
    if (requests.some(({ kind }) => kind === 'close')) queueMicrotask(() => port.close());
  });
} catch (error) {
  send({ kind: 'refused', failure: failureOf(error, file) });
  queueMicrotask(() => port.close());
}
