import type { Clock } from '../../runtime/clock.ts';
import { LEADER_KEY, recordKey } from '../../runtime/store/keys.ts';
import type { KeyValue } from '../../runtime/store/store.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { CALM, type Faults } from '../faults/faults.ts';
import { OPERATIONS } from '../load/operations.ts';

export interface BackupPorts {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  /** Lets so much time pass, or until something holds. */
  readonly pass: (ms: number, condition?: () => boolean) => Promise<void>;
  readonly clock: Clock;
  /** What the users still wait for, in words. */
  readonly pending: () => Promise<readonly string[]>;
  /** What befalls the store and the network meanwhile. */
  readonly faults: Faults;
}

/** Longer than anything that was on its way to the store when the doms went. */
const GONE_MS = 30_000;
/** By then all nodes have the plans of the next leader, and all is as wished. */
const RECOVERY_MS_MAX = 90_000;
const LOOK_MS = 1_000;
const NOTICED_MS_MAX = 20_000;
/** Of the worlds: those in which it is brought in while things go wrong. */
const ROUGH_SHARE = 0.5;
const ROUGH_MS_MAX = 20_000;

/**
 * INV-17, from the fixed point on: the doms start anew, so that nodes hold plans of a term that an
 * earlier backup of the store does not know; then the store is put back to that, in half of the worlds
 * while a dom and a node crash and the faults of the run happen once more. What dom says from then on
 * must reach the nodes, and dom must say what it has noticed.
 */
export async function restoreBackup(ports: BackupPorts): Promise<void> {
  const { cluster, pass } = ports;
  const { checks, doms, store } = cluster;
  const backup = await everything(cluster);
  for (const dom of doms) cluster.crashDom(dom);
  for (const dom of doms) cluster.startDom(dom);
  await recovers(ports, 'dom started anew');
  for (const dom of doms) cluster.crashDom(dom);
  await pass(GONE_MS);
  checks.storeReplaced();
  await store.restore(backup);
  for (const dom of doms) cluster.startDom(dom);
  if (ports.random.fork('rough').chance(ROUGH_SHARE)) await goesRough(ports);
  await recovers(ports, 'a backup was restored');
  await changeSomething(ports);
  await recovers(ports, 'a backup was restored and something changed');
  if (!checks.reached.has(NOTICED)) checks.violated(17, 'nobody says that a backup was restored');
  checks.assertHeld();
}

/** Whoever dies does so at most once, so all is well again soon. */
async function goesRough({ cluster, random, pass, faults }: BackupPorts): Promise<void> {
  const own = random.fork('rough times');
  cluster.faults = faults;
  if (faults.domCrashes > 0) {
    const dom = own.pick(cluster.doms);
    await pass(own.integer(0, ROUGH_MS_MAX / 2));
    cluster.crashDom(dom);
    cluster.startDom(dom);
  }
  if (faults.subCrashes > 0) {
    const sub = own.pick(cluster.subs);
    await pass(own.integer(0, ROUGH_MS_MAX / 2));
    cluster.crashSub(sub);
    cluster.startSub(sub);
  }
  await pass(own.integer(0, ROUGH_MS_MAX));
  cluster.faults = CALM;
}

/** A rare path; see `sometimes.ts`. */
export const NOTICED = 'restored backup noticed';

/** All that lasts: what was bound to a lease is gone by the time a backup is restored. */
async function everything({ store }: Cluster): Promise<readonly KeyValue[]> {
  const { revision } = await store.list('/b8s');
  const items = store.history.list('/b8s', revision);
  const sessions = recordKey('session', '');
  return items.filter(({ key }) => key !== LEADER_KEY && !key.startsWith(sessions));
}

async function changeSomething({ cluster, random, clock, pass }: BackupPorts): Promise<void> {
  const sites = [...cluster.wish.sites.keys()].toSorted();
  if (sites.length === 0) return;
  const user = cluster.newUser('restorer');
  let phase: 'busy' | 'done' = 'busy';
  const publish = OPERATIONS['publish']?.run({ cluster, user, random, sites, clock });
  void publish?.then(() => {
    phase = 'done';
  });
  await pass(RECOVERY_MS_MAX, () => phase === 'done');
}

async function recovers({ cluster, pass, pending }: BackupPorts, after: string): Promise<void> {
  // A node that has not noticed yet that its dom is gone looks as well as ever.
  await pass(NOTICED_MS_MAX);
  let waiting: readonly string[] = [];
  for (let leftMs = RECOVERY_MS_MAX; leftMs > 0; leftMs -= LOOK_MS) {
    await pass(LOOK_MS);
    waiting = await pending();
    if (waiting.length === 0) return;
  }
  cluster.checks.violated(17, `${after}, and the world still waits for ${waiting.join('; ')}`);
  cluster.checks.assertHeld();
}
