import type { Repository } from '../../api/repository.ts';
import { objectKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import { CALM_GIT } from '../git/git-setting.ts';
import { EMPTY_TREE } from '../git/tree.ts';
import { changed, follow, issuer } from '../load/committer.ts';
import { NAMESPACE } from '../load/wish.ts';
import {
  type Aim,
  allIsWell,
  committerOf,
  restartDoms,
  type Stage,
  settleDown,
  until,
  weather,
} from './aim.ts';

/** So long nobody would look unasked. */
const INTERVAL_MS = 3_600_000;
const SECRET = { name: 'hook', value: 'what the host signs with' };
const ROUNDS = 9;
/** More than are looked for at once (`HOOK_BURST`). */
const BURST = 7;

export const told: Aim = {
  story:
    'Nobody looks for an hour, and a Git host tells dom of each push by its webhook, once or many times, ' +
    'while answers of the store get lost and dom dies right after it has taken the call: what was ' +
    'taken is looked for (INV-1), and what is signed wrongly is not taken',
  subs: 1,
  git: { ...CALM_GIT, intervalMs: INTERVAL_MS },
  run: async (stage) => {
    const hand = committerOf(stage);
    const { git, user, random } = hand;
    await settleDown(stage);
    await user.apply({
      kind: 'Secret',
      metadata: { namespace: NAMESPACE, name: SECRET.name },
      spec: { data: { secret: SECRET.value } },
    });
    git.push(treeOf(0), 'First');
    await follow(hand, 'one', { webhook: SECRET.name });
    await allIsWell(stage);
    for (let round = 1; round <= ROUNDS; round += 1) {
      weather(stage, round % 3 === 0 ? { commitUncertain: 0.3 } : {});
      const calls = round % 2 === 0 ? BURST : 1;
      for (let call = 1; call <= calls; call += 1) {
        git.push(treeOf(round * BURST + call), `Round ${round}, ${call}`);
        await tell(stage, SECRET.value);
      }
      if (round % 4 === 1) restartDoms(stage);
      weather(stage, {});
      await seen(stage);
      await allIsWell(stage);
      await stage.scheduler.sleep(random.integer(0, 20_000));
    }
    if ((await call(stage, 'guessed')) !== 'refused')
      stage.cluster.checks.violated(33, 'a call that is signed with another secret was taken');
  },
};

const treeOf = (number: number) =>
  changed(EMPTY_TREE, [issuer('git-a', 'one', 10 + number), issuer('git-b', 'one', 30)]);

/** As a Git host does it: again, until it is taken. */
function tell(stage: Stage, secret: string): Promise<void> {
  return until(stage.scheduler, 'a webhook to be taken', async () => {
    const outcome = await call(stage, secret).catch(() => 'failed');
    return outcome === 'asked' || outcome === 'idle';
  });
}

async function call({ cluster }: Stage, secret: string): Promise<string> {
  const headers = new Map([
    ['x-gitlab-token', secret],
    ['x-gitlab-event', 'Push Hook'],
  ]);
  const commit = cluster.git?.head;
  const body = Buffer.from(JSON.stringify({ ref: 'refs/heads/main', after: commit }));
  const [dom] = cluster.runningDoms();
  if (dom === undefined) return 'failed';
  const where = { namespace: NAMESPACE, name: 'one' };
  return (await dom.hooks.take(where, { header: (name) => headers.get(name), body })).kind;
}

/** At rest a Repository may follow what came before, for all that `pending` knows. */
function seen({ cluster, scheduler }: Stage): Promise<void> {
  const key = objectKey({ kind: 'Repository', namespace: NAMESPACE, name: 'one' });
  return until(scheduler, 'the last push to be seen', async () => {
    const item = await cluster.store.get(key);
    if (item === undefined) return false;
    return (decodeObject(item) as Repository).status?.lastAppliedCommit === cluster.git?.head;
  });
}
