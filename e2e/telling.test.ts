import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Notification } from '../api/notification.ts';
import type { Repository } from '../api/repository.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { BareRemote, testFolder } from '../runtime/node/git/bare-remote.fixture.ts';
import { openMailServer, type TestMailServer } from '../runtime/node/mail-server.fixture.ts';
import { testCertificate } from '../runtime/node/tls/test-certificate.ts';
import { standardSignature } from '../runtime/standard-webhook.ts';
import { type GitHost, openGitHost } from './support/git-host.ts';
import { until } from './support/processes.ts';
import { AREA, describeOnStores, useScene } from './support/scene.ts';

const PROVIDERS = [
  { provider: 'github', api: '/api/v3' },
  { provider: 'gitea', api: '/api/v1' },
  { provider: 'gitlab', api: '/api/v4' },
] as const;
const WAYS = ['webhook', 'slack', 'ntfy', 'email'] as const;
/** None of these may be seen anywhere. */
const TOKEN = 'token-6a1f';
const KEY = 'key-77d0';
const SLACK_PATH = '/services/T0/B0/secret-91ab';
const PASSWORD = 'right';
const HIDDEN = [TOKEN, KEY, 'secret-91ab'];
const DEADLINE = { timeoutMs: 60_000 };

/** A folder for each Repository: two do not keep the same object. */
function files(spec: string): Record<string, string> {
  const manifest = (name: string): string => `apiVersion: b8s.dev/v1
kind: Issuer
metadata: { name: ${name} }
spec: ${spec}
`;
  return Object.fromEntries(
    PROVIDERS.map(({ provider }) => [`${provider}/issuer.yaml`, manifest(provider)]),
  );
}
const good = (days: number): Record<string, string> => files(`{ ca: { lifetime: ${days}d } }`);
const bad = files('{ cc: {} }');

interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

await describeOnStores(
  'dom tells others',
  (kind) => {
    const scene = useScene(kind, { name: 'telling', nodes: 1 });
    const folder = testFolder();
    const remote = new BareRemote(`${folder}/infra.git`);
    const address = `127.${AREA}.0.10`;
    const calls: Call[] = [];
    let daemon: ChildProcess | undefined;
    let host: GitHost;
    let mail: TestMailServer;
    let receiver: Server;
    let first: string;

    beforeAll(async () => {
      const [port = 0] = await freePortsAt([address], 1);
      const how = ['--reuseaddr', '--export-all', `--base-path=${folder}`, `--listen=${address}`];
      daemon = spawn('/usr/lib/git-core/git-daemon', [...how, `--port=${port}`, folder], {
        ...{ detached: true, stdio: 'ignore' },
      });
      host = await openGitHost({ address, token: TOKEN, failures: 2 });
      const certificate = await testCertificate(['localhost']);
      mail = await openMailServer({ key: certificate.keyPem, cert: certificate.chainPem });
      receiver = createServer((request, response) => {
        let body = '';
        request.on('data', (piece) => (body += String(piece)));
        request.on('end', () => {
          calls.push({ path: request.url ?? '', headers: request.headers, body });
          response.end('ok');
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, address, resolve));
      const at = `http://${address}:${(receiver.address() as AddressInfo).port}`;
      const input = [
        secretYaml('host', { token: TOKEN }),
        secretYaml('hook', { secret: KEY, token: TOKEN }),
        secretYaml('slack', { url: `${at}${SLACK_PATH}` }),
        secretYaml('mail', {
          ...{ username: 'ada', password: PASSWORD, caBundle: certificate.chainPem },
        }),
        notificationYaml('webhook', `{ url: "${at}/hook", secretRef: hook }`),
        notificationYaml('slack', '{ secretRef: slack }'),
        notificationYaml('ntfy', `{ url: "${at}/my-topic" }`),
        notificationYaml(
          'email',
          `{ host: localhost, port: ${mail.port}, from: b8s@example.com, to: [ops@example.com], secretRef: mail }`,
        ),
      ].join('---\n');
      first = await remote.commit(good(10), { subject: 'Good' });
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], {
        input: PROVIDERS.map(({ provider, api }) =>
          repositoryYaml(provider, `git://${address}:${port}/infra.git`, `${host.url}${api}`),
        ).join('---\n'),
      });
    }, 120_000);
    afterAll(async () => {
      if (daemon?.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
      host.close();
      await mail.close();
      receiver.closeAllConnections();
      receiver.close();
      rmSync(folder, { recursive: true });
    });

    const states = (provider: string, commit: string): readonly string[] =>
      host.taken
        .filter((each) => each.provider === provider && each.commit === commit)
        .map(({ state }) => state);

    const get = async <Kind>(type: string, name: string): Promise<Kind> =>
      JSON.parse(await scene().cluster.b8sctlOk(['get', type, name, '-o', 'json'])) as Kind;

    /** Waits until dom has written down what the host was told last. */
    const noted = (
      provider: string,
      wanted: { readonly commit: string; readonly state: string },
    ): Promise<unknown> =>
      until(
        `dom notes what ${provider} was told`,
        async () => {
          const { status } = await get<Repository>('repository', provider);
          return isDeepStrictEqual(status?.commitStatus, wanted);
        },
        DEADLINE,
      );

    const messages = (way: (typeof WAYS)[number]): readonly string[] => {
      if (way === 'email') return mail.mails.map(({ data }) => data.replaceAll('=\r\n', ''));
      const paths = { webhook: '/hook', slack: SLACK_PATH, ntfy: '/' };
      return calls.filter(({ path }) => path === paths[way]).map(({ body }) => body);
    };

    /** How often people were told of it. */
    const refusals = (way: (typeof WAYS)[number]): number =>
      messages(way).join('\n').split('refused as a whole').length - 1;

    const reconcile = (): Promise<unknown> =>
      Promise.all(
        PROVIDERS.map(({ provider }) =>
          scene().cluster.b8sctl(['reconcile', `repository/${provider}`, '--timeout', '30s']),
        ),
      );

    test('each host is told that a commit is pending, and then in force', async () => {
      for (const { provider } of PROVIDERS)
        await until(
          `${provider} knows`,
          async () => states(provider, first).at(-1) === 'success',
          DEADLINE,
        );
      for (const { provider } of PROVIDERS) {
        const known = states(provider, first);
        // One that is in force before the host could be asked was never pending there.
        expect(known.slice(0, -1).every((each) => ['pending', 'running'].includes(each))).toBe(
          true,
        );
        expect(new Set(known).size).toBe(known.length);
      }
      expect(new Set(host.refused)).toEqual(new Set(['502 Bad Gateway']));
      expect(host.taken.map(({ project }) => project)).toEqual(host.taken.map(() => 'team/infra'));
      await noted('github', { commit: first, state: 'success' });
    }, 90_000);

    test('a commit with a typo has failed at each, and each way tells people why', async () => {
      const typo = await remote.commit(bad, { subject: 'Typo' });
      await reconcile();
      for (const { provider } of PROVIDERS)
        await until(
          `${provider} knows`,
          async () => states(provider, typo).at(-1)?.startsWith('fail'),
          DEADLINE,
        );
      const { description } = host.taken.findLast(({ commit }) => commit === typo) ?? {};
      expect(description).toMatch(/^commit [0-9a-f]{7} \(Typo\) is refused as a whole: /);
      for (const way of WAYS)
        await until(`${way} tells`, async () => refusals(way) >= PROVIDERS.length, DEADLINE);
      for (const way of WAYS)
        for (const { provider } of PROVIDERS)
          expect(
            messages(way).some(
              (text) =>
                text.includes(`Repository/default/${provider}`) ||
                text.includes(`"name":"${provider}"`),
            ),
          ).toBe(true);
      const hook = calls.find(({ path }) => path === '/hook');
      const [id, time] = [hook?.headers['webhook-id'], hook?.headers['webhook-timestamp']];
      const stamp = { id: String(id), time: String(time) };
      const signature = standardSignature(KEY, stamp, hook?.body ?? '');
      expect(hook?.headers['webhook-signature']).toBe(signature);
      expect(mail.mails[0]).toMatchObject({ user: 'ada', encryption: 'encrypted' });
      // A dom that dies before it has noted what was taken tells that once more.
      for (const { provider } of PROVIDERS)
        await noted(provider, { commit: typo, state: 'failure' });
      for (const way of WAYS)
        await until(
          `${way} says that it told all`,
          async () =>
            (await get<Notification>('notification', way)).status?.sent === messages(way).length,
          DEADLINE,
        );
    }, 120_000);

    test('a dom that is killed and comes back tells none of it again', async () => {
      const before = WAYS.map((way) => messages(way).length);
      await scene().cluster.dom.kill9();
      scene().cluster.dom.start();
      await scene().cluster.domReady();
      // Something new, to see that it tells at all.
      const next = await remote.commit(good(11), { subject: 'Mended' });
      await reconcile();
      await until(
        'the host knows of the next commit',
        async () => states('github', next).at(-1) === 'success',
        DEADLINE,
      );
      expect(WAYS.map(refusals)).toEqual(WAYS.map(() => PROVIDERS.length));
      expect(WAYS.map((way) => messages(way).length)).toEqual(before);
      const told = host.taken.map((each) => `${each.provider} ${each.commit} ${each.state}`);
      expect(new Set(told).size).toBe(told.length);
    }, 120_000);

    test('a test message comes when it is asked for', async () => {
      const annotate = ['annotate', 'notification', 'webhook', 'b8s.dev/test-requested=1'];
      await scene().cluster.b8sctlOk(annotate);
      await until(
        'the test',
        async () => messages('webhook').some((text) => text.includes('"reason":"Test"')),
        DEADLINE,
      );
    });

    test('no secret is in what people or logs see', async () => {
      const { cluster } = scene();
      const seen = await Promise.all(
        ['notifications', 'repositories', 'events', 'secrets'].map((type) =>
          cluster.b8sctlOk(['get', type, '-o', 'yaml']),
        ),
      );
      const log = readFileSync(cluster.dom.logFile, 'utf8');
      for (const hidden of HIDDEN) {
        expect(seen.join('\n')).not.toContain(hidden);
        expect(log).not.toContain(hidden);
      }
    });
  },
  ['sqlite'],
);

function secretYaml(name: string, data: Readonly<Record<string, string>>): string {
  return `apiVersion: b8s.dev/v1
kind: Secret
metadata: { name: ${name} }
spec: { data: ${JSON.stringify(data)} }
`;
}

function notificationYaml(way: string, how: string): string {
  return `apiVersion: b8s.dev/v1
kind: Notification
metadata: { name: ${way} }
spec:
  events: { kinds: [Repository] }
  interval: 1s
  ${way}: ${how}
`;
}

function repositoryYaml(provider: string, url: string, api: string): string {
  return `apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: ${provider} }
spec:
  url: ${url}
  path: ${provider}
  interval: 1h
  timeout: 60s
  commitStatus: { provider: ${provider}, url: "${api}", project: team/infra, secretRef: host }
`;
}
