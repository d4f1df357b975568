import { fakeGit } from '../../runtime/git/fake/fake-git.ts';
import { FakeRemote } from '../../runtime/git/fake/remote.ts';
import type { Git } from '../../runtime/git/git.ts';
import { turns } from '../../runtime/node/settle.ts';
import { Cluster } from '../cluster/cluster.ts';
import { seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { Trace, type TraceLine } from '../engine/trace.ts';
import type { SimulatedGit } from '../git/simulated-git.ts';
import { observe } from './observe.ts';
import { play } from './play.ts';
import { GIT_REMOTE, type Scenario } from './scenario.ts';
import { simulatedStage } from './simulated-stage.ts';

/** Longer than all leases: after it nothing is left to happen. */
const SETTLE_MS = 60_000;
/** No scenario lasts longer; one that does hangs. */
const LENGTH_MS_MAX = 600_000;

export interface Rehearsal {
  /** What is seen in the end. */
  readonly observed: string;
  readonly virtualMs: number;
}

export interface RehearsalOptions {
  /** A geography database (MaxMind DB), which knows where the clients of scenarios are. */
  readonly geo: Uint8Array;
  /** Takes the order of what happens at the same time; a scenario ends alike with each. */
  readonly seed: number;
  /** Told what has happened, also where it failed. */
  readonly onLines?: (lines: readonly TraceLine[]) => void;
}

/**
 * Plays a scenario in a simulated world of its own, and looks at what is left once all has settled.
 * To be called within `guarded`. Throws what `play` throws, or an `InvariantError`.
 */
export async function rehearseScenario(
  scenario: Scenario,
  { geo, seed, onLines }: RehearsalOptions,
): Promise<Rehearsal> {
  const random = seededRandom(`scenario ${scenario.name} ${seed}`);
  const scheduler = new Scheduler({ random: random.fork('order'), turns });
  const keep = onLines === undefined ? 'hash' : 'lines';
  const trace = new Trace(() => scheduler.nowMs, { keep });
  const { doms, nodes } = scenario.topology;
  const machines = nodes.map(({ name, roles, place }, index) => ({
    ...{ name, roles, location: place, ipv4: `198.18.0.${index + 1}` },
  }));
  const replay = `node sim/scenarios/main.ts ${scenario.name} --seed ${seed}`;
  const remote = new FakeRemote();
  const plainGit = gitOf(remote);
  const options = { machines, doms, geo, replay, plainGit };
  const cluster = new Cluster({ scheduler, random, trace }, options);
  scheduler.onStep = () => cluster.check();
  for (const dom of cluster.doms) cluster.startDom(dom);
  try {
    const stage = simulatedStage({ cluster, scheduler, remote });
    const observed = await drive(scheduler, async () => {
      const scene = await play(scenario, stage);
      await stage.clock.sleep(SETTLE_MS);
      return observe(scene);
    });
    return { observed, virtualMs: scheduler.nowMs };
  } finally {
    for (const dom of cluster.doms) cluster.crashDom(dom);
    for (const sub of cluster.subs) cluster.crashSub(sub);
    onLines?.(trace.lines());
  }
}

/** What each process of dom reads the remote with. */
function gitOf(remote: FakeRemote): Pick<SimulatedGit, 'git'> {
  const git = fakeGit({ remotes: new Map([[GIT_REMOTE, remote]]) });
  return {
    git: ({ process }) =>
      process.wrap<Git>({
        resolve: (...asked) => git.resolve(...asked),
        open: async (...asked) => process.wrap(await git.open(...asked)),
        keepOnly: (ids) => git.keepOnly(ids),
      }),
  };
}

/** Lets time pass until the work is done. */
async function drive<T>(scheduler: Scheduler, work: () => Promise<T>): Promise<T> {
  let outcome: PromiseSettledResult<T> | undefined;
  void work().then(
    (value) => (outcome = { status: 'fulfilled', value }),
    (reason: unknown) => (outcome = { status: 'rejected', reason }),
  );
  await scheduler.run(scheduler.nowMs + LENGTH_MS_MAX, () => outcome !== undefined);
  if (outcome === undefined) throw new Error(`it hangs after ${LENGTH_MS_MAX} ms`);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
