import type { Clock } from '../../runtime/clock.ts';
import {
  type Cluster,
  MACHINES,
  OTHER_HOST,
  OTHER_SITE,
  SITE,
  SITE_HOST,
  ZONE,
} from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { makeRelease, type Published } from './content.ts';

/** What the user wants in the end, as dom has acknowledged it. */
export interface Wish {
  readonly release: Published;
  readonly ttl: number;
  /** Nodes in one answer. */
  readonly answers: number;
  /** The second site, which shows the same release as the first one did when it was made. */
  readonly otherSite: 'declared' | 'absent';
}

const CHANGES_MIN = 2;
const CHANGES_MAX = 6;
/** How many of the changes concern the second site. */
const OTHER_SITE_SHARE = 0.3;
const THINKING_MS_MAX = 15_000;

/** What a user does in a run: joins the nodes, declares a zone and a site, and keeps changing it. */
export async function playScenario(
  cluster: Cluster,
  { clock, random }: { readonly clock: Clock; readonly random: SeededRandom },
): Promise<Wish> {
  const joins = Object.entries(MACHINES).map(async ([name, spec]) => {
    await clock.sleep(random.integer(0, 2_000));
    const sub = cluster.sub(name);
    if (sub === undefined) throw new Error(`there is no machine ${name}`);
    sub.identity = await cluster.user.join(name, spec);
    cluster.startSub(sub);
  });
  await clock.sleep(random.integer(0, 2_000));
  let wish = await declare(cluster, random);
  await Promise.all(joins);
  for (let left = random.integer(CHANGES_MIN, CHANGES_MAX); left > 0; left -= 1) {
    await clock.sleep(random.integer(0, THINKING_MS_MAX));
    wish = await change(cluster, wish, random);
  }
  return wish;
}

async function declare(cluster: Cluster, random: SeededRandom): Promise<Wish> {
  const { user } = cluster;
  const wish = {
    release: await publish(cluster, random),
    ttl: 10,
    answers: 1,
    otherSite: 'absent',
  } as const;
  const zone = () =>
    user.apply({
      kind: 'Zone',
      metadata: ZONE,
      spec: {
        origin: 'example.test',
        records: [{ name: '@', type: 'TXT', values: ['v=spf1 -all'] }],
      },
    });
  // In either order: a site may be there before the zone that its host lies in.
  const zoneFirst = random.chance(0.5);
  if (zoneFirst) await zone();
  await applySite(cluster, wish);
  if (!zoneFirst) await zone();
  return wish;
}

async function change(cluster: Cluster, wish: Wish, random: SeededRandom): Promise<Wish> {
  if (random.chance(OTHER_SITE_SHARE)) return toggleOtherSite(cluster, wish);
  const next = { ...wish, ...(await drawChange(cluster, random)) };
  await applySite(cluster, next);
  return next;
}

/** Comes under the same name, but is another object each time. */
async function toggleOtherSite({ user }: Cluster, wish: Wish): Promise<Wish> {
  if (wish.otherSite === 'declared') {
    await user.delete({ kind: 'Site', ...OTHER_SITE });
    return { ...wish, otherSite: 'absent' };
  }
  const content = { release: wish.release.digest };
  const spec = { hosts: [OTHER_HOST], content };
  await user.apply({ kind: 'Site', metadata: OTHER_SITE, spec });
  return { ...wish, otherSite: 'declared' };
}

async function drawChange(cluster: Cluster, random: SeededRandom): Promise<Partial<Wish>> {
  switch (random.pick(['publish', 'publish', 'roll back', 'configure'] as const)) {
    case 'publish':
      return { release: await publish(cluster, random) };
    case 'roll back':
      return { release: random.pick(cluster.releases.slice(-3)) };
    case 'configure':
      return { ttl: random.integer(5, 60), answers: random.integer(1, 3) };
  }
}

async function publish(cluster: Cluster, random: SeededRandom): Promise<Published> {
  const release = makeRelease(cluster.releases.length + 1, random);
  cluster.releases.push(release);
  await cluster.user.publish(release, SITE.name);
  return release;
}

async function applySite(cluster: Cluster, { release, ttl, answers }: Wish): Promise<void> {
  const content = { release: release.digest };
  const spec = { hosts: [SITE_HOST], content, routing: { policy: 'nearest', answers }, ttl };
  await cluster.user.apply({ kind: 'Site', metadata: SITE, spec });
}
