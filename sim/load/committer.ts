import { RECONCILE_REQUESTED } from '../../api/repository.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { FOLLOWERS, GIT_URL, type SimulatedGit, TAG } from '../git/simulated-git.ts';
import { type Declaration, EMPTY_TREE, keyOf, makePages, type Tree } from '../git/tree.ts';
import type { LoadPorts } from './load-ports.ts';
import type { User } from './user.ts';
import { hostOf, NAMESPACE } from './wish.ts';

/** What one person pushes with, and meddles with what was pushed; `random` is the operation's own. */
export interface CommitterHand {
  readonly cluster: Cluster;
  readonly git: SimulatedGit;
  readonly user: User;
  readonly random: SeededRandom;
  readonly clock: Clock;
}

const ISSUERS = ['git-a', 'git-b', 'git-c', 'git-d', 'git-e'];
const SITE = 'git-pages';
/** Without content, so it is never Ready. */
const NEVER = 'git-never';
/** Somebody else's. */
const PRIVATE = 'git-private';
const THINKING_MS_MAX = 15_000;

/** What is done to a Repository's wishes besides pushing; without what it says of files. */
const OPERATIONS: readonly ((hand: CommitterHand) => Promise<void>)[] = [
  ...[edit, edit, edit, edit, quick, moveFile, handOver],
  ...[breakManifest, conflict, neverReady, neverReady, empty, wipe],
  ...[revert, rewind, meddle, meddle, remove, label, pause, byHand, byHand],
];

/** Somebody who pushes to the Git remote of a world, if it has one, and others who change its objects. */
export async function startCommitter(
  cluster: Cluster,
  { scheduler, random, leftOut }: LoadPorts,
): Promise<void> {
  const { git } = cluster;
  if (git === undefined) return;
  const user = cluster.newUser('committer');
  const clock = scheduler.clock();
  const hand = (name: string): CommitterHand => ({
    ...{ cluster, git, user, clock, random: random.fork(name) },
  });
  await clock.sleep(random.integer(0, 4_000));
  await declareForeign(hand('foreign'));
  git.push(firstTree(hand('first')), 'The first commit');
  for (const name of FOLLOWERS.slice(0, git.setting.followers)) await follow(hand(name), name);
  for (let number = 1; number <= git.setting.operations; number += 1) {
    if (leftOut.includes(`git.${number}`)) continue;
    const own = random.fork(`operation ${number}`);
    await clock.sleep(own.integer(0, THINKING_MS_MAX));
    await own.pick(OPERATIONS)(hand(`do ${number}`));
  }
  await finish(hand('end'));
}

/** Declares a Repository, or says something else of it. */
export async function follow(
  { git, user }: CommitterHand,
  name: string,
  more: {
    readonly suspend?: boolean;
    readonly request?: string;
    /** The Secret that calls of the Git host are signed with. */
    readonly webhook?: string;
  } = {},
): Promise<void> {
  const { follows, intervalMs, timeoutMs, onFailure, driftPolicy } = git.setting;
  const { suspend = false, request, webhook } = more;
  const annotations = request === undefined ? {} : { [RECONCILE_REQUESTED]: request };
  await user.apply({
    kind: 'Repository',
    metadata: { namespace: NAMESPACE, name, annotations },
    spec: {
      ...{ url: GIT_URL, path: name, suspend, onFailure, driftPolicy },
      ref: follows === 'tag' ? { tag: TAG } : { branch: 'main' },
      ...(webhook !== undefined && { webhook: { secretRef: webhook } }),
      ...{ interval: `${intervalMs / 1_000}s`, timeout: `${timeoutMs / 1_000}s` },
    },
  });
}

export function issuer(name: string, folder: string, days: number): Declaration {
  const spec = { ca: { lifetime: `${days}d` } };
  return { kind: 'Issuer', name, folder, file: `${name}.json`, spec };
}

export function pages(folder: string, version: number): Declaration {
  const spec = { hosts: [hostOf(SITE)] };
  const content = makePages(SITE, version);
  return { kind: 'Site', name: SITE, folder, file: 'web/site.json', spec, content };
}

export function neverReadySite(folder: string): Declaration {
  return {
    kind: 'Site',
    name: NEVER,
    folder,
    file: 'never.json',
    spec: { hosts: [hostOf(NEVER)] },
  };
}

/** The tree with these objects, and without those of these keys. */
export function changed(
  tree: Tree,
  puts: readonly Declaration[],
  drops: readonly string[] = [],
): Tree {
  const objects = new Map(tree.objects);
  for (const key of drops) objects.delete(key);
  for (const each of puts) objects.set(keyOf(each), each);
  return { ...tree, objects };
}

/** The last tree that was pushed, mended: what is wrong with it is gone. */
export function soundTree(git: SimulatedGit): Tree {
  const [last = EMPTY_TREE] = [git.head ?? '', ...git.pushed.toReversed()].flatMap((commit) => {
    const tree = git.trees.get(commit);
    return tree === undefined || tree.objects.size === 0 ? [] : tree;
  });
  const bad = [keyOf({ kind: 'Site', name: NEVER }), keyOf({ kind: 'Issuer', name: PRIVATE })];
  return { ...changed(last, [], bad), broken: new Set() };
}

async function declareForeign({ user }: CommitterHand): Promise<void> {
  const metadata = { name: PRIVATE };
  await user.apply({ kind: 'Issuer', metadata, spec: { ca: { lifetime: '77d' } } });
}

function firstTree({ git, random }: CommitterHand): Tree {
  const folders = FOLLOWERS.slice(0, git.setting.followers);
  const all = ISSUERS.slice(0, 4).map((name, index) =>
    issuer(name, folders[index % folders.length] ?? 'one', random.integer(10, 90)),
  );
  return changed(EMPTY_TREE, random.chance(0.5) ? [...all, pages('one', 0)] : all);
}

/** A few changes in one commit. */
function edited({ git, random }: CommitterHand, tree: Tree): Tree {
  const folders = FOLLOWERS.slice(0, git.setting.followers);
  let next = tree;
  for (let count = random.integer(1, 4); count > 0; count -= 1) {
    const name = random.pick(ISSUERS);
    const known = next.objects.get(keyOf({ kind: 'Issuer', name }));
    const ofFolder = [...next.objects.values()].filter((each) => each.folder === known?.folder);
    const isLast = known !== undefined && ofFolder.length < 3;
    if (random.chance(0.2)) {
      const site = next.objects.get(keyOf({ kind: 'Site', name: SITE }));
      next = changed(next, [pages(site?.folder ?? 'one', git.pushed.length)]);
    } else if (random.chance(0.25) && known !== undefined && !isLast) {
      next = changed(next, [], [keyOf(known)]);
    } else {
      const folder = known?.folder ?? random.pick(folders);
      next = changed(next, [{ ...issuer(name, folder, random.integer(10, 90)) }]);
    }
  }
  return next;
}

async function edit(hand: CommitterHand): Promise<void> {
  const { git } = hand;
  git.push(edited(hand, soundTree(git)), 'Edit');
}

async function quick(hand: CommitterHand): Promise<void> {
  const { random, clock } = hand;
  for (let count = random.integer(2, 4); count > 0; count -= 1) {
    if (random.chance(0.3)) await neverReady(hand);
    else await edit(hand);
    await clock.sleep(random.integer(0, 2_000));
  }
}

async function moveFile({ git, random }: CommitterHand): Promise<void> {
  const tree = soundTree(git);
  const all = [...tree.objects.values()];
  if (all.length === 0) return;
  const one = random.pick(all);
  const file = `moved/${git.pushed.length}/${one.file.slice(one.file.lastIndexOf('/') + 1)}`;
  git.push(changed(tree, [{ ...one, file }]), `Move ${one.name}`);
}

/** From the folder of one Repository to that of the other. */
async function handOver({ git, random }: CommitterHand): Promise<void> {
  const tree = soundTree(git);
  const all = [...tree.objects.values()];
  if (all.length === 0 || git.setting.followers === 1) return;
  const one = random.pick(all);
  const folder = one.folder === 'one' ? 'two' : 'one';
  // Some change it on the way.
  const isEdited = one.kind === 'Issuer' && random.chance(0.5);
  const spec = isEdited ? issuer(one.name, folder, random.integer(10, 90)).spec : one.spec;
  git.push(changed(tree, [{ ...one, folder, spec }]), `Hand ${one.name} over to ${folder}`);
}

async function breakManifest(hand: CommitterHand): Promise<void> {
  const { git, random } = hand;
  const folder = random.pick(FOLLOWERS.slice(0, git.setting.followers));
  const broken = new Set([folder]);
  git.push({ ...edited(hand, soundTree(git)), broken }, `A typo in ${folder}`);
}

async function conflict(hand: CommitterHand): Promise<void> {
  const { git } = hand;
  const tree = edited(hand, soundTree(git));
  git.push(changed(tree, [issuer(PRIVATE, 'one', 33)]), 'What is somebody else’s');
}

async function neverReady(hand: CommitterHand): Promise<void> {
  const { git } = hand;
  const tree = edited(hand, soundTree(git));
  git.push(changed(tree, [neverReadySite('one')]), 'What is never Ready');
}

async function empty({ git }: CommitterHand): Promise<void> {
  git.push(EMPTY_TREE, 'Nothing is left');
}

/** All but one of each folder: more than goes unasked. */
async function wipe({ git }: CommitterHand): Promise<void> {
  const tree = soundTree(git);
  const kept = new Map([...tree.objects.values()].map((each) => [each.folder, each]));
  git.push(changed(EMPTY_TREE, [...kept.values()]), 'Wipe');
}

async function revert({ git, random }: CommitterHand): Promise<void> {
  const tree = git.trees.get(random.pick(git.pushed));
  if (tree !== undefined) git.push(tree, 'Revert');
}

async function rewind({ git, random }: CommitterHand): Promise<void> {
  git.rewind(random.pick(git.pushed));
}

/** Somebody who does not know of Git changes an object of it. */
async function meddle({ git, random, user }: CommitterHand): Promise<void> {
  const name = random.pick(ISSUERS);
  git.touched.add(keyOf({ kind: 'Issuer', name }));
  git.labelled.delete(keyOf({ kind: 'Issuer', name }));
  const spec = { ca: { lifetime: `${random.integer(91, 99)}d` } };
  await user.meddle({ kind: 'Issuer', metadata: { name }, spec });
}

async function remove({ git, random, user }: CommitterHand): Promise<void> {
  const kind = random.chance(0.3) ? 'Site' : 'Issuer';
  const name = kind === 'Site' ? SITE : random.pick(ISSUERS);
  git.touched.add(keyOf({ kind, name }));
  await user.remove({ kind, name, ...(kind === 'Site' && { namespace: NAMESPACE }) });
}

/** A field that no manifest names. */
async function label({ git, random, user }: CommitterHand): Promise<void> {
  const name = random.pick(ISSUERS);
  const found = await user.get({ kind: 'Issuer', name });
  if (found === undefined) return;
  const { spec, metadata } = found;
  git.touched.add(keyOf({ kind: 'Issuer', name }));
  await user.meddle({
    kind: 'Issuer',
    metadata: { name, labels: { team: 'web' } },
    spec: spec as object,
  });
  git.labelled.set(keyOf({ kind: 'Issuer', name }), metadata.uid);
}

async function pause(hand: CommitterHand): Promise<void> {
  const { git, random, clock } = hand;
  const name = random.pick(FOLLOWERS.slice(0, git.setting.followers));
  await follow(hand, name, { suspend: true });
  await clock.sleep(random.integer(0, 8_000));
  if (random.chance(0.5)) await edit(hand);
  await follow(hand, name);
}

async function byHand(hand: CommitterHand): Promise<void> {
  const { git, random } = hand;
  const name = random.pick(FOLLOWERS.slice(0, git.setting.followers));
  const words = random.pick([
    '',
    '',
    ' force',
    ' confirm-prune',
    ` ref=${random.pick(git.pushed)}`,
  ]);
  await follow(hand, name, { request: `${random.integer(0, 1_000_000)}${words}` });
}

/** Most leave it well. */
async function finish(hand: CommitterHand): Promise<void> {
  const { git, random } = hand;
  const isLeft = random.chance(0.3) && git.setting.timeoutMs < 60_000;
  if (isLeft) return await random.pick([edit, neverReady, breakManifest])(hand);
  git.push(soundTree(git), 'The end');
  for (const name of FOLLOWERS.slice(0, git.setting.followers))
    await follow(hand, name, { request: `${random.integer(0, 1_000_000)} force confirm-prune` });
}
