import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logTail, type Program, program, until } from './support/processes.ts';
import { describeOnStores, type Scene, useScene } from './support/scene.ts';

const SUB = join(import.meta.dirname, '../bin/sub');

await describeOnStores('who may be a node', (kind) => {
  const scene = useScene(kind, { name: 'identity', nodes: 2 });

  test('a used token is refused', async () => {
    const words = await joinWords(scene(), ['--node', 'tokyo']);
    expect(await joined(scene(), words, 'first')).toMatchObject({
      exitCode: 0,
      stdout: 'node/tokyo joined\n',
    });
    const again = await joined(scene(), words, 'second');
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toMatch(
      /unknown or was used already: make a new one with "b8sctl node token create"/,
    );
  });

  test('an expired token is refused', async () => {
    const words = await joinWords(scene(), ['--node', 'tokyo', '--ttl', '1s']);
    // A wrong name costs no token, and tells whether it is still good.
    const other = words.map((word) => (word === 'tokyo' ? 'osaka' : word));
    await until(
      'the token has expired',
      async () => (await joined(scene(), other, 'expired')).stderr.includes('has expired'),
      { timeoutMs: 20_000 },
    );
    const late = await joined(scene(), words, 'expired');
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toContain('This join token has expired: make a new one');
  });

  test('a wrong token is refused', async () => {
    const words = await joinWords(scene(), ['--node', 'tokyo']);
    const token = words[words.indexOf('--token') + 1] ?? '';
    const wrong = [
      { token: `${token.slice(0, -3)}aaa`, message: /unknown or was used already/ },
      { token: 'not-a-token', message: /--token: must be <id>.<secret>/ },
    ];
    for (const each of wrong) {
      const refused = await joined(scene(), replaced(words, '--token', each.token), 'wrong');
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(each.message);
    }
    // A token for one node is none for another.
    const foreign = await joined(scene(), replaced(words, '--name', 'osaka'), 'wrong');
    expect(foreign.stderr).toContain('is good for node "tokyo" only, not for "osaka"');
  });

  test('a wrong CA hash is refused, before the token is shown to anyone', async () => {
    const words = await joinWords(scene(), ['--node', 'tokyo']);
    const wrong = replaced(words, '--ca', `sha256:${'0'.repeat(64)}`);
    const refused = await joined(scene(), wrong, 'hash');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/the CA at \S+ does not match --ca: it has sha256:[0-9a-f]{64}/);
    // So the token is still good.
    expect((await joined(scene(), words, 'hash')).exitCode).toBe(0);
  });

  test("another node's certificate is refused", async () => {
    const { cluster, logDir } = scene();
    const stolen = join(cluster.stateDir, 'sub', 'stolen');
    cpSync(cluster.subDir('sydney'), stolen, { recursive: true });
    const file = join(stolen, 'node.json');
    const own = JSON.parse(readFileSync(file, 'utf8')) as { readonly uid: string };
    // Sydney's certificate, in London's name.
    writeFileSync(file, JSON.stringify({ ...own, name: 'london' }));
    const thief = subProgram(stolen, join(logDir, 'stolen.log'));
    thief.start();
    try {
      const refusal = 'the certificate is for node sydney, the hello says london';
      await until(
        'the thief is refused',
        async () => logTail(thief.logFile, 50).includes(refusal),
        {
          timeoutMs: 20_000,
        },
      );
    } finally {
      await thief.stop();
    }
  });

  test("a deleted node's sub is shown the door", async () => {
    const { cluster } = scene();
    const sub = cluster.subs.get('london');
    if (sub === undefined) throw new Error('london does not run');
    await cluster.b8sctlOk(['wait', 'node/london', '--for=condition=Ready', '--timeout=30s']);
    await cluster.b8sctlOk(['delete', 'node', 'london', '--yes']);
    await until(
      'london is refused',
      async () => logTail(sub.logFile, 50).includes('dom refuses this node'),
      {
        timeoutMs: 20_000,
      },
    );
    expect(logTail(sub.logFile, 50)).toMatch(/was removed|is not declared|join again/);
    expect((await cluster.b8sctl(['get', 'node', 'london'])).stderr).toContain('NotFound');
  });
  test('a user who is revoked is out within seconds, also of a watch that goes on', async () => {
    const { cluster, logDir } = scene();
    const config = join(logDir, 'ada-config');
    writeFileSync(config, await cluster.b8sctlOk(['user', 'create', 'ada']));
    const ada = (...words: string[]) => cluster.b8sctl(['--config', config, ...words]);
    expect((await ada('auth', 'whoami')).stdout).toContain('ada');
    const watching = ada('get', 'nodes', '--watch');
    await cluster.b8sctlOk(['user', 'revoke', 'ada']);
    for (const refused of [await watching, await ada('get', 'nodes')]) {
      expect(refused.stderr).toMatch(
        /\(Unauthorized\): what user ada was given .* was revoked by admin/,
      );
      expect(refused.exitCode).toBe(1);
    }
    expect(await cluster.b8sctlOk(['user', 'list'])).toMatch(/ada .*revoked .* by admin/);
    // A new config of the same name is good.
    writeFileSync(config, await cluster.b8sctlOk(['user', 'create', 'ada']));
    expect((await ada('get', 'nodes')).exitCode).toBe(0);
  });
});

/** The words of the join command that dom gives, without its first. */
async function joinWords({ cluster }: Scene, args: readonly string[]): Promise<readonly string[]> {
  const printed = await cluster.b8sctlOk(['node', 'token', 'create', ...args]);
  return printed.trim().split(/\s+/).slice(1);
}

function joined({ cluster }: Scene, words: readonly string[], folder: string) {
  const state = join(cluster.stateDir, 'sub', folder);
  return cluster.sub([...words, '--ipv4', '192.0.2.1', '--state', state]);
}

function replaced(words: readonly string[], option: string, value: string): readonly string[] {
  return words.with(words.indexOf(option) + 1, value);
}

function subProgram(state: string, logFile: string): Program {
  return program({ name: 'sub', command: SUB, args: ['run', '--state', state], logFile });
}
