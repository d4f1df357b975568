import type { Cluster } from '../cluster/cluster.ts';
import { declareAll } from '../load/operations.ts';
import type { PeoplePorts } from '../load/people.ts';
import { viewOfAll } from '../load/view.ts';
import { copyOf, nothingWished, type Wish } from '../load/wish.ts';
import { changeSetting, type Setting } from './setting.ts';
import { World } from './world.ts';

/** What clients can see at rest, line by line. */
export interface SameEnd {
  /** After all that has happened. */
  readonly eventful: readonly string[];
  /** Where the same was declared once, in good weather, and nothing else ever happened. */
  readonly calm: readonly string[];
}

const CALM_MS = 1_000;

/**
 * INV-3: the same final desired state gives the same final observed state, whatever came before.
 * Runs a world to its end, then a second one on the same machines, where people only declare what
 * is wished in the end of the first one. Both must hold by themselves.
 */
export async function runToSameEnd(
  setting: Setting,
  { geo, replay }: { readonly geo: Uint8Array; readonly replay: string },
): Promise<SameEnd> {
  let wish = nothingWished();
  let eventful = '';
  let calm = '';
  const look = (cluster: Cluster, nowMs: number): Promise<string> =>
    viewOfAll({ cluster, nowMs, of: 'wished' });
  const first = new World(setting, {
    ...{ keep: 'hash', geo, replay },
    atRest: async (cluster, nowMs) => {
      // A copy: people may go on.
      wish = copyOf(cluster.wish);
      eventful = await look(cluster, nowMs);
    },
  });
  await first.run();
  const calmly = changeSetting(setting, { faults: [], stormMs: CALM_MS });
  const second = new World(calmly, {
    ...{ keep: 'hash', geo, replay },
    people: (cluster, ports) => declareAllAtOnce(cluster, ports, wish),
    atRest: async (cluster, nowMs) => {
      calm = await look(cluster, nowMs);
    },
  });
  await second.run();
  return { eventful: eventful.split('\n'), calm: calm.split('\n') };
}

function declareAllAtOnce(
  cluster: Cluster,
  { scheduler, random }: PeoplePorts,
  wish: Wish,
): Promise<void> {
  const clock = scheduler.clock();
  const hand = { cluster, user: cluster.newUser('user-1'), clock, random, sites: [] };
  return declareAll(hand, wish);
}
