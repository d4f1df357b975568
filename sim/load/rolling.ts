import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import type { Site } from '../../api/site.ts';
import type { Published } from './content.ts';
import type { Hand } from './operations.ts';
import { NAMESPACE, type SiteWish } from './wish.ts';

/** So often somebody looks how far a rollout is before all are switched at once. */
const LOOKS_MAX = 30;
const LOOK_MS_MAX = 6_000;

/** How this person does what all do. */
export interface Doing {
  readonly apply: (
    hand: Hand,
    site: SiteWish,
    annotations?: Readonly<Record<string, string>>,
  ) => Promise<void>;
  readonly publish: (hand: Hand, site: string) => Promise<Published>;
}

/** Rolls a release out batch by batch, and stays with it until it is everywhere, or given up. */
export async function rollOut(hand: Hand, first: SiteWish, doing: Doing): Promise<void> {
  const { random } = hand;
  let site: SiteWish = { ...first, rollout: drawRollout(hand) };
  await doing.apply(hand, site);
  for (let left = LOOKS_MAX; left > 0; left -= 1) {
    await hand.clock.sleep(random.integer(200, LOOK_MS_MAX));
    const phase = await phaseOf(hand, site);
    if (phase === 'done') break;
    if (phase === 'halted' || phase === 'undone') await resume(hand, site, doing);
    else if (random.chance(0.1)) site = await interfere(hand, site, doing);
  }
  const { rollout: _, ...plain } = site;
  await resume(hand, plain, doing);
}

/** What people do in the midst of a rollout. */
async function interfere(hand: Hand, site: SiteWish, doing: Doing): Promise<SiteWish> {
  const { random } = hand;
  switch (random.pick(['overtake', 'back', 'pause'] as const)) {
    case 'overtake': {
      const release = await doing.publish(hand, site.name);
      const next = { ...site, release, releases: [...site.releases, release] };
      await doing.apply(hand, next);
      return next;
    }
    case 'back': {
      const next = { ...site, release: random.pick(site.releases.slice(-3)) };
      await doing.apply(hand, next);
      return next;
    }
    case 'pause':
      await doing.apply(hand, { ...site, rollout: { ...site.rollout, paused: true } });
      await hand.clock.sleep(random.integer(0, LOOK_MS_MAX));
      await doing.apply(hand, site);
      return site;
  }
}

/** As `b8sctl rollout resume` does it: with the moment of asking. */
async function resume(hand: Hand, site: SiteWish, doing: Doing): Promise<void> {
  const count = hand.cluster.releasesOf(site.name).length;
  const request = `${count} ${hand.random.integer(0, 1_000_000_000)}`;
  await doing.apply(hand, site, { [ROLLOUT_RESUMED]: request });
}

/** Undefined: of this release nothing is said yet. */
async function phaseOf({ user }: Hand, { name, release }: SiteWish): Promise<string | undefined> {
  const found = await user.get({ kind: 'Site', namespace: NAMESPACE, name });
  const { rollout } = (found as Site | undefined)?.status ?? {};
  return rollout?.release === release.digest ? rollout.phase : undefined;
}

function drawRollout({ random }: Hand): object {
  return {
    strategy: 'rolling',
    batch: random.pick(['1', '1', '2', '40%']),
    observe: random.pick(['1s', '3s', '8s']),
    deadline: random.pick(['5s', '30s', '10m']),
    quorumPercent: random.pick([1, 51, 100]),
    errorPercent: random.pick([0, 5, 50]),
    onFailure: random.pick(['undo', 'undo', 'pause']),
  };
}
