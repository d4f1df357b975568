import { CALM_GIT } from '../git/git-setting.ts';
import { EMPTY_TREE, keyOf } from '../git/tree.ts';
import { changed, follow, issuer, neverReadySite, pages } from '../load/committer.ts';
import { type Aim, allIsWell, committerOf, restartDoms, type Stage, settleDown } from './aim.ts';

/** Longer than a commit is waited for, and looked for. */
const LONG_MS = 40_000;

export const undone: Aim = {
  story:
    'A commit that is never Ready takes a Site away, changes what is there and brings more: all of it ' +
    'is put back (INV-41), with the release of the Site, and the commit is not tried again, by no ' +
    'next process of dom, nor by hand, nor after a suspension (INV-42, INV-45)',
  subs: 1,
  git: CALM_GIT,
  run: async (stage) => {
    const hand = committerOf(stage);
    const { git } = hand;
    await settleDown(stage);
    const good = changed(EMPTY_TREE, [
      ...[issuer('git-a', 'one', 30), issuer('git-b', 'one', 30)],
      pages('one', 1),
    ]);
    git.push(good, 'Good');
    await follow(hand, 'one');
    await allIsWell(stage);
    const site = keyOf(pages('one', 1));
    const bad = [issuer('git-a', 'one', 7), issuer('git-c', 'one', 30), neverReadySite('one')];
    git.push(changed(good, bad, [site]), 'Bad');
    await stage.scheduler.sleep(3_000);
    // Another bad one takes its place, so what is put back is of two commits ago.
    git.push(changed(good, [...bad, issuer('git-b', 'one', 7)], [site]), 'Bad, too');
    await rolledBack(stage);
    restartDoms(stage);
    await rolledBack(stage);
    await follow(hand, 'one', { request: 'now' });
    await rolledBack(stage);
    await follow(hand, 'one', { suspend: true });
    await stage.scheduler.sleep(2_000);
    await follow(hand, 'one');
    await rolledBack(stage);
    // What somebody does meanwhile is put back, too.
    git.touched.add(keyOf(issuer('git-b', 'one', 30)));
    await hand.user.meddle({
      kind: 'Issuer',
      metadata: { name: 'git-b' },
      spec: { ca: { lifetime: '9d' } },
    });
  },
};

async function rolledBack(stage: Stage): Promise<void> {
  await stage.scheduler.sleep(LONG_MS);
  await allIsWell(stage);
}
