import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../api/repository.ts';
import type { FakeFile } from '../runtime/git/fake/remote.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { BareRemote, testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import { browser } from './support/https.ts';
import { until } from './support/processes.ts';
import { AREA, describeOnStores, edgeOf, useScene } from './support/scene.ts';
import { seededRandom } from './support/seeded.ts';

const HOST = 'blog.example.test';
const COMMITS = 10;
/** Every so many commits dom is killed while the commit is brought in. */
const KILL_EVERY = 4;
const SEED = 7;
/** Each kill is a start of dom, and each look at the page is a handshake. */
const TIMEOUT_MS = 300_000;

/** A site that says which commit it is of, and as many Issuers as make a commit several writes. */
function files(number: number): Record<string, FakeFile> {
  const site = `apiVersion: b8s.dev/v1
kind: Site
metadata: { name: blog }
spec:
  hosts: [${HOST}]
  content: { path: ./public }
`;
  const issuers = Array.from({ length: 5 }, (_, index) => [
    `deploy/issuers/${index}.yaml`,
    `apiVersion: b8s.dev/v1
kind: Issuer
metadata: { name: issuer-${index} }
spec: { ca: { lifetime: ${number}d } }
`,
  ]);
  return {
    'deploy/site.yaml': site,
    'deploy/public/index.html': `commit ${number}`,
    ...Object.fromEntries(issuers),
  };
}

/** A manifest with a typo, beside changes that must not be seen. */
function badFiles(number: number): Record<string, FakeFile> {
  const typo = 'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: x }\nspec: { hostz: [] }\n';
  return { ...files(number), 'deploy/x.yaml': typo };
}

await describeOnStores(
  'a Repository by Git’s own daemon',
  (kind) => {
    const scene = useScene(kind, { name: 'gitops', nodes: 1 });
    const folder = testFolder();
    const remote = new BareRemote(`${folder}/infra.git`);
    const ends: (() => void)[] = [];

    beforeAll(async () => {
      const address = `127.${AREA}.0.10`;
      const [port = 0] = await freePortsAt([address], 1);
      const how = ['--reuseaddr', '--export-all', `--base-path=${folder}`, `--listen=${address}`];
      const daemon = spawn('/usr/lib/git-core/git-daemon', [...how, `--port=${port}`, folder], {
        detached: true,
        stdio: 'ignore',
      });
      ends.push(() => daemon.pid !== undefined && process.kill(-daemon.pid, 'SIGKILL'));
      await remote.commit(files(1), { subject: 'Commit 1' });
      const input = `apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: infra }
spec:
  url: git://${address}:${port}/infra.git
  path: deploy
  interval: 10s
  timeout: 60s
  onFailure: rollback
`;
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
    });
    afterAll(() => {
      for (const end of ends) end();
      rmSync(folder, { recursive: true });
    });

    const page = async (): Promise<string> => {
      const [node] = scene().nodes;
      if (node === undefined) throw new Error('no node');
      const client = browser(HOST, scene().ca(), { keepAlive: false });
      return (await client.get(edgeOf(node), '/')).body.toString();
    };
    const repository = async (): Promise<Repository> => {
      const printed = await scene().cluster.b8sctlOk(['get', 'repository', 'infra', '-o', 'json']);
      return JSON.parse(printed) as Repository;
    };
    const serves = (number: number): Promise<unknown> =>
      until(
        `commit ${number} is served`,
        async () => (await page().catch(() => '')) === `commit ${number}`,
        { timeoutMs: 90_000 },
      );

    test('its first commit is served', async () => {
      await serves(1);
      await until(
        'the commit is in force',
        async () => (await repository()).status?.subject === 'Commit 1',
        { timeoutMs: 60_000 },
      );
    });

    test('a commit with a typo changes nothing, and b8sctl says where it is', async () => {
      await remote.commit(badFiles(99), { subject: 'Typo' });
      const { exitCode, stderr } = await scene().cluster.b8sctl(['reconcile', 'repository/infra']);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/spec\.hostz.*\(deploy\/x\.yaml:4\)/);
      expect(await page()).toBe('commit 1');
    });

    test(
      `of ${COMMITS} commits, some of them bad, with dom killed in between, the last good one stays, whole (seed ${SEED})`,
      async () => {
        const { cluster } = scene();
        const random = seededRandom(SEED);
        let last = 1;
        for (let number = 2; number <= COMMITS; number += 1) {
          const isBad = number % 3 === 0;
          const content = isBad ? badFiles(number) : files(number);
          await remote.commit(content, { subject: `Commit ${number}` });
          if (!isBad) last = number;
          const asked = cluster.b8sctl(['reconcile', 'repository/infra', '--timeout', '0']);
          if (number % KILL_EVERY === 0) {
            await pause(Math.floor(random() * 1_500));
            await cluster.dom.kill9();
            cluster.dom.start();
            await cluster.domReady();
          }
          await asked;
        }
        await remote.commit(files(last), { subject: 'The end' });
        await serves(last);
        await until(
          'the last commit is in force',
          async () => (await repository()).status?.subject === 'The end',
          { timeoutMs: 90_000 },
        );
        const printed = await cluster.b8sctlOk([
          'get',
          'issuers',
          '-o',
          'jsonpath={.items[*].spec.ca.lifetime}',
        ]);
        expect(
          printed
            .trim()
            .split(/\s+/)
            .filter((each) => each !== '90d'),
        ).toEqual(Array.from({ length: 5 }, () => `${last}d`));
        expect((await repository()).status).toMatchObject({ objects: 6 });
      },
      TIMEOUT_MS,
    );
  },
  ['sqlite'],
);
