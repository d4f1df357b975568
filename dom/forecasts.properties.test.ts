import { expect, test } from 'vitest';
import type { Resource } from '../api/object.ts';
import { RECONCILE_REQUESTED } from '../api/repository.ts';
import { declarationOf } from '../runtime/fields.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { type FakeFile, FakeRemote } from '../runtime/git/fake/remote.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene, VIEWER } from './test-scene.ts';

/** Commits and changes by hand, by chance; what is told before must be what is there after. */

const URL = 'https://git.example.com/infra.git';
const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1);
const COMMITS = 4;
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

/** Numerical Recipes' generator: the same for one seed everywhere. */
function chances(seed: number): (below: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function issuer(name: string, chance: (below: number) => number): string {
  const metadata = {
    name,
    ...(chance(3) === 0 && { labels: { team: `team-${chance(2)}` } }),
    ...(chance(4) === 0 && { annotations: { 'b8s.dev/prune': 'disabled' } }),
  };
  const spec = { ca: { lifetime: `${30 + 10 * chance(3)}d` } };
  return JSON.stringify({ apiVersion: 'b8s.dev/v1', kind: 'Issuer', metadata, spec });
}

type Tree = Readonly<Record<string, FakeFile>>;

/** Half of it as before. Sometimes with a typo, sometimes in another folder, never empty. */
function tree(chance: (below: number) => number, before: Tree = {}): Tree {
  const kept = NAMES.filter((_, index) => index === 0 || chance(3) > 0);
  const files = kept.map((name): readonly [string, FakeFile] => {
    const old = Object.entries(before).find(([path]) => path.endsWith(`${name}.json`));
    if (old !== undefined && chance(2) === 0) return old;
    const text = issuer(name, chance);
    const folder = chance(4) === 0 ? 'moved/' : '';
    return [`${folder}${name}.json`, chance(25) === 0 ? text.replace('ca', 'cb') : text];
  });
  return Object.fromEntries(files);
}

type Declared = ReturnType<typeof declarationOf>;

async function declared(at: DomScene): Promise<Map<string, Declared>> {
  const all = { kind: 'Issuer', namespace: '', labelSelector: '', limit: 0, continue: '' };
  const { objectsJson } = await at.term.api.list({ ...all, revision: 0n }, ADMIN);
  const objects = objectsJson.map((each) => JSON.parse(each) as Resource);
  return new Map(objects.map((each) => [each.metadata.name, declarationOf(each)]));
}

/** What a forecast makes of it. */
async function foretold(
  at: DomScene,
  before: ReadonlyMap<string, Declared>,
): Promise<ReadonlyMap<string, Declared>> {
  const after = new Map(before);
  const repository = { kind: 'Repository', namespace: '', name: 'infra' };
  const request = { repository, ref: '', force: false, confirmPrune: false };
  const { signal } = new AbortController();
  for await (const { part } of at.term.api.forecastRepository(request, VIEWER, signal)) {
    if (part?.$case !== 'change') continue;
    const { object, action, afterJson } = part.value;
    const name = object?.name ?? '';
    if (action === 'delete') after.delete(name);
    else if (afterJson !== '') after.set(name, declarationOf(JSON.parse(afterJson) as Resource));
  }
  return after;
}

async function byHand(at: DomScene, chance: (below: number) => number): Promise<void> {
  const name = NAMES[chance(NAMES.length)] ?? 'a';
  const what = chance(4);
  if (what === 0) await at.apply(JSON.parse(issuer(name, chance)));
  if (what === 1) await at.remove('Issuer', name).catch(() => undefined);
}

test.each(SEEDS)('what is foretold is what happens (seed %i)', async (seed) => {
  const chance = chances(seed);
  const clock = virtualClock();
  const remote = new FakeRemote();
  const at = await domScene({ clock, git: fakeGit({ remotes: new Map([[URL, remote]]) }) });
  const driftPolicy = chance(4) === 0 ? 'report' : 'correct';
  const reconcile = async (request: string): Promise<void> => {
    await at.apply({
      ...{ apiVersion: 'b8s.dev/v1', kind: 'Repository' },
      metadata: { name: 'infra', annotations: { [RECONCILE_REQUESTED]: request } },
      spec: { url: URL, interval: '1h', timeout: '20s', allowMassDeletion: true, driftPolicy },
    });
    for (let step = 0; step < 120; step += 1) await clock.advance(250);
  };
  try {
    let files = tree(chance);
    remote.commit(files);
    await reconcile('first');
    for (let commit = 1; commit <= COMMITS; commit += 1) {
      for (let change = 0; change < 2; change += 1) {
        await byHand(at, chance);
        // Until dom has heard of it. It puts back the first at once, and the second only later.
        await clock.advance(50);
      }
      files = tree(chance, files);
      remote.commit(files, { subject: `Commit ${commit}` });
      const told = await foretold(at, await declared(at));
      await reconcile(`commit ${commit}`);
      expect(Object.fromEntries(await declared(at)), `commit ${commit}`).toEqual(
        Object.fromEntries(told),
      );
    }
  } finally {
    at.stop();
  }
});
