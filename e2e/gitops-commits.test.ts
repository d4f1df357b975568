import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { condition, type Resource } from '../api/object.ts';
import { RECONCILE_REQUESTED, type Repository } from '../api/repository.ts';
import { type Api, ApiError } from '../runtime/api-client.ts';
import type { FakeFile } from '../runtime/git/fake/remote.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { BareRemote, testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import { grpcApi } from '../runtime/node/grpc/api.ts';
import { browser } from './support/https.ts';
import { until } from './support/processes.ts';
import { AREA, describeOnStores, edgeOf, type Scene, useScene } from './support/scene.ts';
import { seededRandom } from './support/seeded.ts';

const SITES = ['blog', 'docs'] as const;
const ISSUERS = ['one', 'two', 'three', 'four'] as const;
const SEED = 7;
/** Every so many commits dom is killed, at any moment of what it makes of one. */
const KILL_EVERY = 25;
const PAUSE_MS_MAX = 200;
const READ_EVERY_MS = 20;
const NAME = { kind: 'Repository', namespace: 'default', name: 'infra' };
/** Of the whole; at rest it takes about a sixth of it. */
const TIMEOUT_MS = 600_000;

/** `typo`: it is refused. `stuck`: a Site of it is never Ready. `rollBack`: that is waited for. */
type Fate = 'good' | 'typo' | 'stuck' | 'rollBack';

/** All objects of a commit say which it is: Issuers by their days, Sites by their pages. */
function filesOf(number: number, fate: Fate, at: string): Record<string, FakeFile> {
  const files: Record<string, FakeFile> = {};
  for (const name of ISSUERS) {
    // Renamed now and then: that is no change of the object.
    const folder = number % 7 === 0 ? 'moved/' : '';
    files[`deploy/${folder}${name}.yaml`] =
      `apiVersion: b8s.dev/v1\nkind: Issuer\nmetadata: { name: ${name} }\nspec: { ca: { lifetime: ${number}d } }\n`;
  }
  for (const name of SITES) {
    files[`deploy/${name}/site.yaml`] =
      `apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: ${name} }\nspec:\n  hosts: [${hostOf(name)}]\n  content: { path: ./public }\n`;
    for (const page of ['index.html', 'about.html'])
      files[`deploy/${name}/public/${page}`] = `${at} ${number}`;
  }
  if (fate === 'typo')
    files['deploy/typo.yaml'] = 'kind: Site\nmetadata: { name: x }\nspec: { hostz: [] }\n';
  if (fate === 'stuck' || fate === 'rollBack')
    files['deploy/stuck.yaml'] =
      'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: stuck }\nspec: { hosts: [stuck.example.test] }\n';
  return files;
}

function hostOf(site: string): string {
  return `${site}.example.test`;
}

function drawFate(random: () => number): Fate {
  const drawn = random();
  if (drawn < 0.15) return 'typo';
  return drawn < 0.25 ? 'stuck' : 'good';
}

/** A client of the API that comes back whenever dom does. */
function steadyApi({ cluster }: Scene): {
  ask<T>(what: (api: Api) => Promise<T>): Promise<T | undefined>;
  close(): void;
} {
  const connect = (): Api =>
    grpcApi(cluster.connection(), { requestTimeoutMs: 5_000, command: 'e2e' });
  let api = connect();
  return {
    /** Undefined: dom was away. */
    async ask(what) {
      try {
        return await what(api);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        api.close();
        api = connect();
        return undefined;
      }
    },
    close: () => api.close(),
  };
}

/** What the readers saw. */
interface Seen {
  reads: number;
  pages: number;
  /** Looks at all Issuers, at one revision, that were of two commits or more. */
  mixtures: number;
  mixedMsMax: number;
  readonly wrong: string[];
}

/** Reads all the time what the store holds and what the edge serves, until it is stopped. */
function startReaders(scene: Scene, pushed: ReadonlyMap<number, Fate>) {
  const seen: Seen = { reads: 0, pages: 0, mixtures: 0, mixedMsMax: 0, wrong: [] };
  const stopping = new AbortController();
  const steady = steadyApi(scene);
  const [node] = scene.nodes;
  if (node === undefined) throw new Error('no node');
  const pages = async (site: string): Promise<void> => {
    const client = browser(hostOf(site), scene.ca(), { keepAlive: true });
    while (!stopping.signal.aborted) {
      const { body, status, headers } = await client.get(edgeOf(node), '/');
      const number = numberOf(body.toString());
      if (status !== 200 || !isSound(pushed, number))
        seen.wrong.push(`${site} is answered with ${status} ${body.toString().slice(0, 40)}`);
      const other = await client.get(edgeOf(node), '/about.html');
      const isSame = other.headers['b8s-release'] === headers['b8s-release'];
      if (isSame && numberOf(other.body.toString()) !== number)
        seen.wrong.push(`one release of ${site} is of two commits`);
      seen.pages += 2;
      await pause(READ_EVERY_MS);
    }
    client.close();
  };
  const objects = async (): Promise<void> => {
    let mixedSince: number | undefined;
    while (!stopping.signal.aborted) {
      const before = await steady.ask((api) => api.get(NAME));
      const listed = await steady.ask((api) => api.list({ kind: 'Issuer', namespace: '' }));
      const after = await steady.ask((api) => api.get(NAME));
      await pause(READ_EVERY_MS);
      if (listed === undefined) continue;
      seen.reads += 1;
      const numbers = new Set(listed.objects.flatMap(daysOf));
      for (const number of numbers)
        if (!isSound(pushed, number)) seen.wrong.push(`an Issuer is of ${number}`);
      if (numbers.size > 1) {
        seen.mixtures += 1;
        mixedSince ??= performance.now();
      } else if (mixedSince !== undefined) {
        seen.mixedMsMax = Math.max(seen.mixedMsMax, performance.now() - mixedSince);
        mixedSince = undefined;
      }
      const isStill = before?.metadata.resourceVersion === after?.metadata.resourceVersion;
      const subject = subjectOfReady(after);
      if (!isStill || subject === undefined) continue;
      if ([...numbers].join() !== subject)
        seen.wrong.push(`it is Ready with commit ${subject}, and Issuers are of ${[...numbers]}`);
    }
  };
  const all = [...SITES.map(pages), objects()].map((work) =>
    work.catch((error: unknown) => seen.wrong.push(String(error))),
  );
  return {
    seen,
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(all);
      steady.close();
    },
  };
}

function daysOf({ metadata, spec }: Resource): readonly number[] {
  if (!ISSUERS.some((name) => name === metadata.name)) return [];
  return [Number.parseInt((spec as { ca: { lifetime: string } }).ca.lifetime, 10)];
}

function numberOf(page: string): number {
  return Number.parseInt(page.split(' ')[1] ?? '', 10);
}

/** Nothing of a commit that dom has to refuse is ever seen. */
function isSound(pushed: ReadonlyMap<number, Fate>, number: number): boolean {
  const fate = pushed.get(number);
  return fate !== undefined && fate !== 'typo';
}

/** The number of the commit that it says to be Ready with; undefined: it does not say so. */
function subjectOfReady(repository: Resource | undefined): string | undefined {
  if (repository === undefined || condition(repository, 'Ready')?.status !== 'True')
    return undefined;
  return (repository as Repository).status?.subject?.split(' ')[1];
}

function cases(kind: 'sqlite' | 'etcd', commits: number): void {
  const scene = useScene(kind, { name: 'gitops-commits', nodes: 1 });
  const folder = testFolder();
  const remote = new BareRemote(`${folder}/infra.git`);
  const pushed = new Map<number, Fate>();
  const ends: (() => void)[] = [];

  const push = async (number: number, fate: Fate, of = number): Promise<string> => {
    pushed.set(of, pushed.get(of) ?? fate);
    return await remote.commit(filesOf(of, fate, 'commit'), { subject: `Commit ${of}` });
  };
  const repository = async (): Promise<Repository> => {
    const printed = await scene().cluster.b8sctlOk(['get', 'repository', 'infra', '-o', 'json']);
    return JSON.parse(printed) as Repository;
  };

  beforeAll(async () => {
    const address = `127.${AREA}.0.10`;
    const [port = 0] = await freePortsAt([address], 1);
    const how = ['--reuseaddr', '--export-all', `--base-path=${folder}`, `--listen=${address}`];
    const daemon = spawn('/usr/lib/git-core/git-daemon', [...how, `--port=${port}`, folder], {
      detached: true,
      stdio: 'ignore',
    });
    ends.push(() => daemon.pid !== undefined && process.kill(-daemon.pid, 'SIGKILL'));
    await push(1, 'good');
    const input = `apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: infra }
spec:
  url: git://${address}:${port}/infra.git
  path: deploy
  interval: 10s
  timeout: 20s
  onFailure: rollback
`;
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
    const [node] = scene().nodes;
    if (node === undefined) throw new Error('no node');
    for (const site of SITES) {
      const client = browser(hostOf(site), scene().ca(), { keepAlive: false });
      const isServed = async (): Promise<boolean> =>
        (await client.get(edgeOf(node), '/').catch(() => undefined))?.status === 200;
      await until(`${site} is served`, isServed, { timeoutMs: 60_000 });
    }
  });
  afterAll(() => {
    for (const end of ends) end();
    rmSync(folder, { recursive: true });
  });

  test(
    `${commits} commits in a row, with dom killed in between: what is seen is of a commit, and in the end the last good one (seed ${SEED})`,
    async () => {
      const { cluster } = scene();
      const random = seededRandom(SEED);
      const steady = steadyApi(scene());
      const readers = startReaders(scene(), pushed);
      const look = (): Promise<unknown> =>
        steady.ask(async (api) => {
          const { metadata, spec } = await api.get(NAME);
          const annotations = { [RECONCILE_REQUESTED]: `${performance.now()}` };
          await api.apply(
            {
              apiVersion: 'b8s.dev/v1',
              kind: 'Repository',
              metadata: { name: metadata.name, namespace: 'default', annotations },
              spec: spec as object,
            },
            { manager: 'b8sctl' },
          );
        });
      let [kills, rollbacks] = [0, 0];
      let good = 1;
      for (let number = 2; number <= commits; number += 1) {
        const isRolledBack = number % Math.floor(commits / 2) === 5;
        const fate = isRolledBack ? 'rollBack' : drawFate(random);
        // A revert is a commit, too: what it holds is what an earlier one held.
        const isRevert = fate === 'good' && random() < 0.15;
        const commit = await push(number, fate, isRevert ? good : number);
        if (fate === 'good' && !isRevert) good = number;
        void look();
        if (number % KILL_EVERY === 0) {
          await pause(random() * 500);
          await cluster.dom.kill9();
          cluster.dom.start();
          await cluster.domReady();
          kills += 1;
        }
        if (isRolledBack) {
          const isBack = async (): Promise<boolean> =>
            ((await steady.ask((api) => api.get(NAME))) as Repository | undefined)?.status
              ?.badCommit?.commit === commit;
          await until(`commit ${number} is rolled back`, isBack, { timeoutMs: 180_000 });
          rollbacks += 1;
        } else await pause(random() * PAUSE_MS_MAX);
      }
      const last = await push(commits + 1, 'good');
      void look();
      const isInForce = async (): Promise<boolean> =>
        (await repository()).status?.lastAppliedCommit === last;
      await until('the last commit is in force', isInForce, { timeoutMs: 180_000 });
      const { seen } = readers;
      await pause(1_000);
      await readers.stop();
      steady.close();
      console.log(
        `${kind}: ${commits} commits, ${kills} kills, ${rollbacks} rollbacks; ${seen.pages} pages, ${seen.reads} looks at all Issuers, ${seen.mixtures} of them at two commits, for at most ${Math.round(seen.mixedMsMax)} ms`,
      );
      expect(seen.wrong.slice(0, 10)).toEqual([]);
      expect(condition(await repository(), 'Ready')?.status).toBe('True');
      const said = ['get', 'issuers', '-o', 'jsonpath={.items[*].spec.ca.lifetime}'];
      const days = (await cluster.b8sctlOk(said)).trim().split(/\s+/);
      expect(days.filter((each) => each === `${commits + 1}d`)).toHaveLength(ISSUERS.length);
      expect(await cluster.b8sctlOk(['get', 'sites', '-o', 'name'])).not.toContain('stuck');
      expect(seen.pages).toBeGreaterThan(commits);
      expect(seen.reads).toBeGreaterThan(commits / 2);
    },
    TIMEOUT_MS,
  );
}

await describeOnStores('many commits', () => cases('sqlite', 200), ['sqlite']);
await describeOnStores('many commits', () => cases('etcd', 40), ['etcd']);
