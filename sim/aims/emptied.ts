import { objectKey } from '../../runtime/store/keys.ts';
import { CALM_GIT, CALM_GIT_WEATHER } from '../git/git-setting.ts';
import { EMPTY_TREE, keyOf, type Tree } from '../git/tree.ts';
import {
  type CommitterHand,
  changed,
  follow,
  issuer,
  neverReadySite,
  pages,
} from '../load/committer.ts';
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

const LONG_MS = 15_000;
const DELETIONS = 5;
const NAMES = ['git-a', 'git-b', 'git-c', 'git-d'];

export const emptied: Aim = {
  story:
    'A tree is empty, cannot be read, or only in part, or lacks most of what was there, whoever confirms ' +
    'what: nothing is removed but what somebody has meant (INV-43); a commit that is never Ready is waited ' +
    'for only until another one comes (INV-1), and while it is, others’ changes are put back (INV-44)',
  subs: 1,
  git: { ...CALM_GIT, timeoutMs: 1_800_000, onFailure: 'keep' },
  run: async (stage) => {
    const hand = committerOf(stage);
    const { git } = hand;
    await settleDown(stage);
    const all = changed(EMPTY_TREE, [
      ...NAMES.map((name) => issuer(name, 'one', 30)),
      pages('one', 1),
    ]);
    git.push(all, 'All');
    await follow(hand, 'one');
    await allIsWell(stage);
    const least = changed(EMPTY_TREE, [issuer('git-a', 'one', 30)]);
    const wrong = [EMPTY_TREE, { ...least, broken: new Set(['one']) }];
    for (const tree of wrong) {
      git.push(tree, 'Not meant');
      await looked(stage);
      await follow(hand, 'one', { request: `${tree.broken.size} force confirm-prune` });
      await meddle(hand, 90 + tree.broken.size);
      restartDoms(stage);
      await looked(stage);
    }
    git.push(least, 'Meant, by somebody who says so later');
    await looked(stage);
    await follow(hand, 'one', { request: 'later confirm-prune' });
    await allIsWell(stage);
    git.push(changed(all, [neverReadySite('one')]), 'Never Ready');
    await stage.scheduler.sleep(LONG_MS);
    await meddle(hand, 95);
    await stage.scheduler.sleep(LONG_MS);
    git.push(all, 'Good');
    await allIsWell(stage);
    await comesBack(stage, hand);
    await readInPart(stage, hand, changed(all, [issuer('git-a', 'one', 31)]));
    // The last of all: what is in force must be so while a commit is refused, and nothing else mends it.
    git.push({ ...all, broken: new Set(['one']) }, 'Not meant again');
    await looked(stage);
    await meddle(hand, 96);
    await looked(stage);
  },
};

async function looked(stage: Stage): Promise<void> {
  await stage.scheduler.sleep(LONG_MS);
  await allIsWell(stage);
}

/** A Site that somebody deletes comes back with its release, also where dom hears late what went. */
async function comesBack(stage: Stage, hand: CommitterHand): Promise<void> {
  const { git, user } = hand;
  const site = pages('one', 1);
  git.touched.add(keyOf(site));
  weather(stage, { watchHold: 0.3, watchHoldMsMax: 400 });
  for (let round = 1; round <= DELETIONS; round += 1) {
    const named = { kind: 'Site', namespace: NAMESPACE, name: site.name } as const;
    await user.remove(named);
    // All seems well until dom has seen that it went.
    const isBack = async (): Promise<boolean> =>
      (await stage.cluster.store.get(objectKey(named))) !== undefined;
    await until(stage.scheduler, `Site ${site.name} to come back`, isBack);
    await allIsWell(stage);
    await stage.scheduler.sleep(LONG_MS);
    const name = site.content?.digest ?? '';
    const found = await user.get({ kind: 'Release', namespace: NAMESPACE, name });
    if (found === undefined)
      stage.cluster.checks.violated(41, `Site ${site.name} is there, and its release is gone`);
  }
  weather(stage, {});
}

/** For a while some of its manifests cannot be read, with each try others. */
async function readInPart(stage: Stage, { git }: CommitterHand, tree: Tree): Promise<void> {
  git.weather = { ...CALM_GIT_WEATHER, unreadable: 0.3 };
  git.push(tree, 'Read in part');
  await stage.scheduler.sleep(LONG_MS);
  git.weather = CALM_GIT_WEATHER;
  await allIsWell(stage);
}

/** A field of Git's, and one that is nobody's. */
async function meddle({ git, user }: CommitterHand, days: number): Promise<void> {
  git.touched.add('Issuer//git-a');
  const metadata = { name: 'git-a', labels: { team: 'web' } };
  const spec = { ca: { lifetime: `${days}d` } };
  await user.meddle({ kind: 'Issuer', metadata, spec });
  const found = await user.get({ kind: 'Issuer', name: 'git-a' });
  if (found !== undefined) git.labelled.set('Issuer//git-a', found.metadata.uid);
}
