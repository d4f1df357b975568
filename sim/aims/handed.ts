import { CALM_GIT } from '../git/git-setting.ts';
import { EMPTY_TREE } from '../git/tree.ts';
import { changed, follow, issuer } from '../load/committer.ts';
import { type Aim, allIsWell, committerOf, restartDoms, settleDown } from './aim.ts';

const ROUNDS = 6;

export const handed: Aim = {
  story:
    'Objects go from one Repository to another and back, some changed on the way, while dom dies and ' +
    'the remote is slow: none is deleted in between (INV-43), and neither Repository waits for the other',
  subs: 1,
  // Who waited for half of it would be too late.
  git: { ...CALM_GIT, followers: 2, timeoutMs: 1_800_000, onFailure: 'keep' },
  run: async (stage) => {
    const hand = committerOf(stage);
    const { git } = hand;
    await settleDown(stage);
    let tree = changed(EMPTY_TREE, [
      ...['git-a', 'git-b', 'git-c'].map((name) => issuer(name, 'one', 30)),
      ...['git-d', 'git-e'].map((name) => issuer(name, 'two', 30)),
    ]);
    git.push(tree, 'First');
    for (const name of ['one', 'two']) await follow(hand, name);
    await allIsWell(stage);
    git.weather = { ...git.weather, slow: 0.5, slowMsMax: 4_000 };
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [there, back] = round % 2 === 1 ? ['two', 'one'] : ['one', 'two'];
      tree = changed(tree, [issuer('git-a', there, 30 + round), issuer('git-d', back, 30)]);
      git.push(tree, `Round ${round}`);
      await stage.scheduler.sleep(hand.random.integer(0, 12_000));
      if (round > 2) restartDoms(stage);
      await allIsWell(stage);
    }
    git.clearUp();
  },
};
