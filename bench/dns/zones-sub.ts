import { once } from 'node:events';
import { connect } from 'node:net';
import { createAgent } from '../../agent/agent.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { openBenchPlane } from '../plane.ts';
import { frameLink } from './frame-link.ts';

/** What `zones.ts` starts: a sub that serves DNS and talks with whoever started it. */
const [domPort = 0, dnsPort = 0] = process.argv.slice(2).map(Number);
const { plane, folder, close } = await openBenchPlane({ dnsPort });
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.once('disconnect', () => stop.abort());

const agent = createAgent({
  ...{ clock: systemClock(), random: systemRandom(), log: silentLog, plane },
  disk: telling(nodeDisk(folder)),
  dialer: {
    async dial() {
      const socket = connect(domPort, '127.0.0.1');
      await once(socket, 'connect');
      return frameLink(socket);
    },
  },
  blobs: {
    fetch: () => {
      throw new Error('there are no blobs');
    },
  },
  probe: { probe: () => Promise.resolve(true) },
  identity: { node: 'bench' },
  rssBytes: () => process.memoryUsage.rss(),
});
await agent.run(stop.signal);
await close();
process.disconnect?.();

/** Says when something is durable. */
function telling(disk: Disk): Disk {
  return new Proxy(disk, {
    get(target, name: keyof Disk) {
      const call = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
      if (name !== 'write' && name !== 'sync') return call;
      return async (...given: unknown[]) => {
        const outcome = await call(...given);
        process.send?.('durable');
        return outcome;
      };
    },
  });
}
