/**
 * A thread that answers datagrams at the port that it is given, or at one of its own, and asks
 * itself so that it is never idle: whoever ends it interrupts a batch. Says its port.
 */
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { listenBatched } from '../dns/udp-batch.ts';
import { findAddon, type UdpBatchAddon } from './addon.ts';

const HOST = '127.0.0.1';
const found = findAddon();
if (found.kind === 'missing') throw new Error(found.problem);
const { port, mode } = workerData as { readonly port: number; readonly mode: 'busy' | 'throw' };
const { address } = await listenBatched(
  {
    ...{ host: HOST, port },
    answer: (query) => query,
    answerDatagram: ({ query, queryBytes, reply }) => query.copy(reply, 0, 0, queryBytes),
    onError: (error) => {
      throw error;
    },
  },
  mode === 'busy' ? found.addon : broken(found.addon),
);
const asker = createSocket('udp4');
asker.on('message', ask);
asker.on('error', () => undefined);
for (let count = 0; count < 100; count += 1) ask();
parentPort?.postMessage(address.port);

function ask(): void {
  asker.send('query', address.port, HOST);
}

/** Calls back into something that throws: as a bug of ours would. */
function broken(addon: UdpBatchAddon): UdpBatchAddon {
  const open: UdpBatchAddon['open'] = (host, at, bufferBytes) =>
    addon.open(host, at, bufferBytes, () => {
      throw new Error('a bug');
    });
  return { ...addon, open };
}
