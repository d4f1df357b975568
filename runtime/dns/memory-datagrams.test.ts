import { systemClock } from '../node/clock.ts';
import { datagramsCases } from './datagrams.case.ts';
import { memoryDatagrams } from './memory-datagrams.ts';

datagramsCases('datagrams in memory', async () => {
  const datagrams = memoryDatagrams({ clock: systemClock() });
  let port = 5300;
  return {
    datagrams,
    peer: async (answer) => {
      port += 1;
      datagrams.setPeer('192.0.2.1', port, answer);
      return { address: '192.0.2.1', port };
    },
    nobody: async () => ({ address: '192.0.2.1', port: 1 }),
    close: async () => undefined,
  };
});
