import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { condition } from '../api/object.ts';
import type { Repository } from '../api/repository.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { BareRemote, testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import {
  type GitServer,
  gitDaemon,
  gitOverHttps,
  gitOverSsh,
  missingFor,
  type Place,
} from './support/git-servers.ts';
import { until } from './support/processes.ts';
import { AREA, describeOnStores, useScene } from './support/scene.ts';

const TRANSPORTS: readonly (readonly ['https' | 'ssh' | 'git', (place: Place) => GitServer])[] = [
  ['https', gitOverHttps],
  ['ssh', gitOverSsh],
  ['git', gitDaemon],
];

const issuer = (name: string, lifetime: string): string =>
  JSON.stringify({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Issuer', metadata: { name } },
    spec: { ca: { lifetime } },
  });

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

await describeOnStores(
  'a Repository at a real server',
  (kind) => {
    const scene = useScene(kind, { name: 'git-transports', nodes: 0 });
    const folder = testFolder();
    const repositories = join(folder, 'repositories');
    mkdirSync(repositories);
    afterAll(() => rmSync(folder, { recursive: true }));

    const apply = (...objects: readonly object[]): Promise<unknown> => {
      const input = objects.map((each) => JSON.stringify(each)).join('\n---\n');
      return scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
    };
    const follow = (name: string, url: string, data: Readonly<Record<string, string>>) => {
      const head = (kind_: string): object => ({
        ...{ apiVersion: 'b8s.dev/v1', kind: kind_, metadata: { name } },
      });
      const hasSecret = Object.keys(data).length > 0;
      const spec = { url, interval: '1h', timeout: '60s', ...(hasSecret && { secretRef: name }) };
      const secret = hasSecret ? [{ ...head('Secret'), spec: { data } }] : [];
      return apply(...secret, { ...head('Repository'), spec });
    };
    const ready = async (name: string): Promise<string> => {
      const args = ['get', 'repository', name, '-o', 'json'];
      const found = condition(
        JSON.parse(await scene().cluster.b8sctlOk(args)) as Repository,
        'Ready',
      );
      return `${found?.reason}: ${found?.message}`;
    };
    const becomes = (name: string, says: RegExp): Promise<unknown> =>
      until(`${name} is ${says}`, async () => says.test(await ready(name)), { timeoutMs: 60_000 });
    const lifetime = (name: string): Promise<string> =>
      scene()
        .cluster.b8sctlOk(['get', 'issuer', name, '-o', 'jsonpath={.spec.ca.lifetime}'])
        .then((text) => text.trim());

    describe.each(TRANSPORTS)('by %s', (name, start) => {
      const reason = missingFor(name);
      if (reason !== undefined && process.env['CI'] === 'true')
        throw new Error(`${reason} is missing`);
      let server: GitServer | undefined;
      let remote: BareRemote;
      beforeAll(async () => {
        if (reason !== undefined) return;
        const address = `127.${AREA}.0.11`;
        const [port = 0] = await freePortsAt([address], 1);
        const own = join(folder, name);
        mkdirSync(own);
        server = start({ folder: own, repositories, address, port });
        remote = new BareRemote(join(repositories, `${name}.git`));
        await remote.commit({ 'issuer.json': issuer(name, '10d') });
        await until('the server listens', () => isListening(address, port), { timeoutMs: 20_000 });
      });
      afterAll(() => server?.end());

      const wrongIsTold = async (): Promise<void> => {
        const wrong = server?.wrong ?? [];
        for (const [index, { when, credentials, says }] of wrong.entries()) {
          const own = `${name}-wrong-${index}`;
          await follow(own, server?.url(`${name}.git`) ?? '', credentials);
          await becomes(own, says).catch(async (cause: unknown) => {
            throw new Error(`${when}: ${await ready(own)}`, { cause });
          });
          await scene().cluster.b8sctlOk(['delete', 'repository', own]);
        }
        const { stdout } = await scene().cluster.b8sctl(['get', 'issuers', '-o', 'name']);
        expect(stdout).not.toMatch(new RegExp(`/${name}$`, 'm'));
      };
      // Git's daemon asks nobody for anything.
      if (name !== 'git')
        test.skipIf(reason !== undefined)(
          'a wrong credential is told, and nothing is applied',
          wrongIsTold,
        );

      test.skipIf(reason !== undefined)(
        'what is pushed is in force, commit by commit',
        async () => {
          await follow(name, server?.url(`${name}.git`) ?? '', server?.credentials ?? {});
          await becomes(name, /^Applied: /);
          expect(await lifetime(name)).toBe('10d');
          await remote.commit({ 'issuer.json': issuer(name, '20d') });
          await scene().cluster.b8sctlOk(['reconcile', `repository/${name}`]);
          expect(await lifetime(name)).toBe('20d');
        },
      );

      test.skipIf(reason !== undefined)('a repository that is not there is told', async () => {
        const own = `${name}-gone`;
        await follow(own, server?.url('gone.git') ?? '', server?.credentials ?? {});
        await becomes(own, /^FetchUnreachable: .*is the URL right/);
      });
    });

    test('no credential is in a log', () => {
      const { logDir } = scene();
      const all = readdirSync(logDir).map((file) => readFileSync(join(logDir, file), 'utf8'));
      expect(all.join('')).not.toMatch(/hunter2|PRIVATE KEY/);
    });
  },
  ['sqlite'],
);
