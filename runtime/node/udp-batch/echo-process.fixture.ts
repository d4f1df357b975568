/**
 * A process that sends datagrams back, for tests that lie to it about the kernel. Says its port,
 * then each error in a line. The query `sleep` keeps it from reading others for a moment, so that
 * they come in one batch; it says `sleeps` when that begins.
 */
import { listenBatched } from '../dns/udp-batch.ts';
import { findAddon } from './addon.ts';

const SLEEP_MS = 1_000;
const found = findAddon();
if (found.kind === 'missing') throw new Error(found.problem);
const { address } = await listenBatched(
  {
    ...{ host: '127.0.0.1', port: 0 },
    answer: (query) => {
      if (String(query) === 'sleep') {
        console.log('sleeps');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLEEP_MS);
      }
      return query;
    },
    onError: ({ message }) => console.log(message),
  },
  found.addon,
);
console.log(address.port);
