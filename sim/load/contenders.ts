import type { Cluster } from '../cluster/cluster.ts';
import type { LoadPorts } from './load-ports.ts';
import { hostOf, NAMESPACE } from './wish.ts';

/** A Site without content, which all of them change: what is wished of it is what came last. */
const SHARED = { namespace: NAMESPACE, name: 'shared' };
const SHARED_MAX = { ttlS: 3_600, calls: 12, pauseMs: 1_500, waitMs: 20_000 };

/**
 * People who declare, delete and look at one and the same object at the same time (INV-9). Resolves
 * once each has done what it came for.
 */
export async function startContenders(
  cluster: Cluster,
  ports: Pick<LoadPorts, 'scheduler' | 'random'> & {
    /** How many; 0: nobody. */
    readonly count: number;
  },
): Promise<void> {
  const { scheduler, random, count } = ports;
  if (count === 0) return;
  await scheduler.sleep(random.integer(0, SHARED_MAX.waitMs));
  await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const name = `contender-${index + 1}`;
      return contend(cluster, name, { scheduler, random: random.fork(name) });
    }),
  );
}

async function contend(
  cluster: Cluster,
  name: string,
  { scheduler, random }: Pick<LoadPorts, 'scheduler' | 'random'>,
): Promise<void> {
  const user = cluster.newUser(name);
  const calls = random.integer(3, SHARED_MAX.calls);
  for (let left = calls; left > 0; left -= 1) {
    const doing = random.pick(['declare', 'declare', 'look', 'look', 'delete'] as const);
    const ttl = random.integer(1, SHARED_MAX.ttlS);
    const spec = { hosts: [hostOf(SHARED.name)], ttl };
    if (doing === 'declare') await user.apply({ kind: 'Site', metadata: SHARED, spec });
    else if (doing === 'delete') await user.delete({ kind: 'Site', ...SHARED });
    else await user.get({ kind: 'Site', ...SHARED });
    await scheduler.sleep(random.pick([0, 0, random.integer(0, SHARED_MAX.pauseMs)]));
  }
}
