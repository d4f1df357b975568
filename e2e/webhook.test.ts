import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../api/repository.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { BareRemote, testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import { browser } from './support/https.ts';
import { until } from './support/processes.ts';
import { AREA, describeOnStores, edgeOf, useScene } from './support/scene.ts';
import { callWebhook } from './support/webhook.ts';

const HOST = 'blog.example.test';
const SECRET = 'b6f1c2d3e4';
const PUSHES = 10;
const TIMEOUT_MS = 120_000;

function files(number: number) {
  const site = `apiVersion: b8s.dev/v1
kind: Site
metadata: { name: blog }
spec:
  hosts: [${HOST}]
  content: { path: ./public }
`;
  return { 'site.yaml': site, 'public/index.html': `commit ${number}` };
}

const REPOSITORY = (port: number, address: string): string => `apiVersion: b8s.dev/v1
kind: Secret
metadata: { name: hook }
spec: { data: { secret: ${SECRET} } }
---
apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: infra }
spec:
  url: git://${address}:${port}/infra.git
  ref: { branch: main }
  # By itself it is not looked for while this test runs.
  interval: 1h
  webhook: { secretRef: hook }
`;

await describeOnStores(
  'a webhook',
  (kind) => {
    const scene = useScene(kind, { name: 'webhook', nodes: 3 });
    const folder = testFolder();
    const remote = new BareRemote(`${folder}/infra.git`);
    let daemon: ChildProcess | undefined;

    beforeAll(async () => {
      const address = `127.${AREA}.0.10`;
      const [port = 0] = await freePortsAt([address], 1);
      const how = ['--reuseaddr', '--export-all', `--base-path=${folder}`, `--listen=${address}`];
      daemon = spawn('/usr/lib/git-core/git-daemon', [...how, `--port=${port}`, folder], {
        ...{ detached: true, stdio: 'ignore' },
      });
      await remote.commit(files(0));
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: REPOSITORY(port, address) });
      await servedEverywhere('commit 0');
      await until('it is Ready', async () => (await repository()).status?.subject !== undefined, {
        timeoutMs: 30_000,
      });
    }, TIMEOUT_MS);
    afterAll(() => {
      if (daemon?.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
      rmSync(folder, { recursive: true });
    });

    const repository = async (): Promise<Repository> =>
      JSON.parse(
        await scene().cluster.b8sctlOk(['get', 'repository', 'infra', '-o', 'json']),
      ) as Repository;

    const servedEverywhere = async (text: string): Promise<void> => {
      // A handshake for each look would be most of the work on the machine.
      const client = browser(HOST, scene().ca(), { keepAlive: true });
      await Promise.all(
        scene().nodes.map((node) =>
          until(
            `${node.name} serves ${text}`,
            async () =>
              (await client.get(edgeOf(node), '/').catch(() => undefined))?.body.toString() ===
              text,
            { timeoutMs: 60_000, everyMs: 20 },
          ),
        ),
      ).finally(() => client.close());
    };

    const call = (commit: string, how: { secret?: string; name?: string } = {}) => {
      const { secret = SECRET, name = 'infra' } = how;
      return callWebhook(scene().dom, { name, secret, commit });
    };

    test('status and describe say what to enter at the Git host', async () => {
      const { address, port } = scene().dom;
      const url = `https://${address}:${port}/hooks/default/infra`;
      expect((await repository()).status?.webhook).toEqual({ urls: [url] });
      const told = await scene().cluster.b8sctlOk(['describe', 'repository', 'infra']);
      expect(told).toContain(url);
      expect(told).not.toContain(SECRET);
    });

    test('what is signed with another secret, and a Repository that is not there, are answered alike', async () => {
      const commit = await remote.commit(files(1));
      const answers = [await call(commit, { secret: 'guess' }), await call(commit, { name: 'no' })];
      expect(answers[0]?.status).toBe(401);
      expect(answers[1]).toEqual(answers[0]);
      expect((await repository()).status?.webhook?.lastCall).toBeUndefined();
    });

    test(
      `${PUSHES} pushes are live on all nodes after their call, long before the next look`,
      async () => {
        const tookMs: number[] = [];
        for (let number = 2; number < 2 + PUSHES; number += 1) {
          const commit = await remote.commit(files(number), { subject: `Commit ${number}` });
          const startMs = performance.now();
          expect(await call(commit)).toMatchObject({ status: 202 });
          await servedEverywhere(`commit ${number}`);
          tookMs.push(performance.now() - startMs);
          await until(
            'the commit is in force',
            async () => (await repository()).status?.subject === `Commit ${number}`,
            { timeoutMs: 30_000 },
          );
          // What comes faster than that waits, which is not what is measured.
          await until(
            'a call is taken at once again',
            async () => performance.now() - startMs > 3_100,
            {
              timeoutMs: 10_000,
            },
          );
        }
        const sorted = tookMs.toSorted((a, b) => a - b);
        const shown = (ms: number | undefined): string => (ms ?? Number.NaN).toFixed(0);
        console.log(
          `${kind}: from call to all three nodes: median ${shown(sorted[PUSHES >> 1])} ms, ` +
            `fastest ${shown(sorted[0])} ms, slowest ${shown(sorted.at(-1))} ms`,
        );
      },
      TIMEOUT_MS,
    );

    test('the same call once more does nothing', async () => {
      const commit = await remote.commit(files(99));
      expect(await call(commit)).toMatchObject({ status: 202 });
      await servedEverywhere('commit 99');
      const before = (await repository()).metadata.annotations;
      expect(await call(commit)).toEqual({ status: 200, text: 'this call was taken before\n' });
      expect((await repository()).metadata.annotations).toEqual(before);
    });
  },
  ['sqlite'],
);
