import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { portsFree } from '../runtime/node/free-ports.ts';
import { run, until } from './support/processes.ts';
import { describeOnStores, edgeOf, type Scene, siteYaml, useScene } from './support/scene.ts';

const B8SCTL = join(import.meta.dirname, '../bin/b8sctl');

await describeOnStores('Ctrl-C and closed pipes', (kind) => {
  const scene = useScene(kind, { name: 'endings', nodes: 1 });

  test('b8sctl get -w ended by SIGINT exits 130, and has shown the changes until then', async () => {
    const { cluster } = scene();
    const watch = spawn(B8SCTL, ['--config', cluster.configFile, 'get', 'sites', '-w']);
    const exited = once(watch, 'exit');
    try {
      let shown = '';
      let complaints = '';
      watch.stdout.on('data', (chunk) => (shown += String(chunk)));
      watch.stderr.on('data', (chunk) => (complaints += String(chunk)));
      await cluster.b8sctlOk(['apply', '-f', '-'], {
        input: siteYaml('seen', 'seen.example.test'),
      });
      await until('the watch shows the site', async () => shown.includes('seen.example.test'), {
        timeoutMs: 20_000,
      });
      watch.kill('SIGINT');
      const [code] = (await exited) as [number | null];
      expect({ code, complaints }).toEqual({ code: 130, complaints: '' });
    } finally {
      watch.kill('SIGKILL');
    }
  });

  test.each(['get sites -o yaml', 'get sites', 'get sites -w', '--help'])(
    'a closed pipe is quiet: b8sctl %s | true',
    async (words) => {
      const { cluster } = scene();
      await cluster.b8sctlOk(['apply', '-f', '-'], {
        input: siteYaml('seen', 'seen.example.test'),
      });
      // The reader is gone long before b8sctl has something to say.
      const command = `"${B8SCTL}" --config "${cluster.configFile}" ${words} | true`;
      const { stdout, stderr, exitCode } = await run('bash', ['-o', 'pipefail', '-c', command]);
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    },
  );

  test('Ctrl-C of sub ends it: exit code 0, ports free, and it starts again', async () => {
    const { cluster, node } = scene();
    const sub = cluster.subs.get('sydney');
    const sydney = node('sydney');
    const { address } = edgeOf(sydney);
    const ports = [sydney.httpPort, sydney.httpsPort, sydney.dnsPort];
    await until('sydney listens', async () => !(await anyFree(address, ports)), {
      timeoutMs: 20_000,
    });
    expect(await sub?.stop('SIGINT')).toBe(0);
    for (const port of ports) expect(await portsFree([address], port)).toBe(true);
    cluster.startSub(sydney);
    await cluster.b8sctlOk(['wait', 'node/sydney', '--for=condition=Ready', '--timeout=30s']);
  });

  test('Ctrl-C of dom ends it: exit code 0, its port free, and it starts again with all it had', async () => {
    const { cluster, dom } = scene();
    const before = await names(scene());
    expect(await cluster.dom.stop('SIGINT')).toBe(0);
    expect(await portsFree([dom.address], dom.port)).toBe(true);
    cluster.dom.start();
    await cluster.domReady();
    expect(await names(scene())).toBe(before);
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'a failure'] as const)(
  'what tests have started ends with them, also by %s',
  async (ending) => {
    const processes = join(import.meta.dirname, 'support/processes.ts');
    const code = `import { program } from ${JSON.stringify(processes)};
      const started = program({ name: 'x', command: 'sleep', args: ['600'], logFile: '/dev/null' });
      started.start();
      console.log(started.pid);
      ${ending === 'a failure' ? 'throw new Error("a failure")' : 'setInterval(() => undefined, 1000)'}`;
    const tests = spawn(process.execPath, ['--input-type=module', '-e', code]);
    const exited = once(tests, 'exit');
    try {
      const [said] = (await once(tests.stdout, 'data')) as [Buffer];
      if (ending !== 'a failure') tests.kill(ending);
      await exited;
      const hasEnded = async () => isGone(Number(String(said)));
      await until('what it started has ended', hasEnded, { timeoutMs: 10_000 });
    } finally {
      tests.kill('SIGKILL');
    }
  },
);

/** Also what nobody waits for, and is a zombie. */
function isGone(pid: number): boolean {
  try {
    // proc(5): the name stands in parentheses and may hold anything; the state comes next.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    return true;
  }
}

async function anyFree(address: string, ports: readonly number[]): Promise<boolean> {
  const free = await Promise.all(ports.map((port) => portsFree([address], port)));
  return free.includes(true);
}

async function names({ cluster }: Scene): Promise<string> {
  return await cluster.b8sctlOk(['get', 'sites,nodes', '-o', 'name']);
}
