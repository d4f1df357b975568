import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from './failure.ts';
import type { Message, Request, WorkerOptions } from './protocol.ts';
import { openDatabase } from './schema.ts';
import { StoreService } from './service.ts';

// The worker thread of `sqliteStore`: SQLite's calls block, so they run here.

const port = parentPort;
if (port === null) throw new Error('this is the worker thread of the SQLite store');
const { file } = workerData as WorkerOptions;
const send = (message: Message): void => port.postMessage(message);

try {
  const service = new StoreService({ file, database: openDatabase(file), send });
  port.on('message', (request: Request) => {
    service.handle(request);
    // Without the port and its timers nothing keeps the thread alive.
    if (request.kind === 'close') port.close();
  });
} catch (error) {
  send({ kind: 'refused', failure: failureOf(error, file) });
  port.close();
}
