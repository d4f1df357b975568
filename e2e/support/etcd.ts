import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from './ports.ts';

export interface EtcdServer {
  /** With its scheme; the same after a restart. */
  readonly endpoint: string;
  readonly pid: () => number;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** Ends it at once; its data stays. */
  kill9(): Promise<void>;
  /** Starts it again on the same data, after `kill9` if it still runs. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
}

/** Undefined: etcd is there. Otherwise why it is not, for a test to skip with. */
export async function etcdMissing(): Promise<string | undefined> {
  if (await hasEtcd()) return undefined;
  if (process.getuid?.() === 0) await installEtcd();
  if (await hasEtcd()) return undefined;
  const reason = 'etcd is missing: apt-get install etcd-server';
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** Starts an empty etcd of one member on loopback, and waits until it is healthy. */
export async function startEtcd(): Promise<EtcdServer> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-etcd-'));
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${clientPort}`;
  let child = await launch();

  async function launch(): Promise<ChildProcess> {
    const peer = `http://127.0.0.1:${peerPort}`;
    const flags = [
      ['--name', 'e2e'],
      ['--data-dir', folder],
      ['--listen-client-urls', endpoint],
      ['--advertise-client-urls', endpoint],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', `e2e=${peer}`],
      ['--max-request-bytes', '8388608'],
      // A tenth of the usual: it starts in a moment, and leases of one second are kept to.
      ['--heartbeat-interval', '10'],
      ['--election-timeout', '100'],
      ['--logger', 'zap'],
      ['--log-level', 'error'],
    ].flat();
    // However this process ends, the kernel ends etcd with it.
    const launched = spawn('setpriv', ['--pdeathsig', 'KILL', 'etcd', ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    process.once('exit', removeFolder);
    await healthy(endpoint, launched);
    return launched;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    process.off('exit', removeFolder);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await exited;
  }

  function removeFolder(): void {
    rmSync(folder, { recursive: true, force: true });
  }

  return {
    endpoint,
    pid: () => child.pid ?? 0,
    stop: async () => {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
    kill9: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGKILL');
      child = await launch();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}

/** From here on this etcd asks for a name and a password, once for each of its starts. */
export async function enableAuthentication(
  { endpoint }: EtcdServer,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<void> {
  const etcdctl = async (...words: readonly string[]): Promise<unknown> =>
    await run('etcdctl', ['--endpoints', endpoint, ...words], {
      env: { ...process.env, ETCDCTL_API: '3' },
    });
  await etcdctl('user', 'add', `${username}:${password}`);
  await etcdctl('role', 'add', 'root');
  await etcdctl('user', 'grant-role', username, 'root');
  await etcdctl('auth', 'enable');
}

const run = promisify(execFile);
const START_MS_MAX = 20_000;

async function hasEtcd(): Promise<boolean> {
  return await run('etcd', ['--version']).then(
    () => true,
    () => false,
  );
}

async function installEtcd(): Promise<void> {
  try {
    await run('apt-get', ['install', '-y', '-q', 'etcd-server', 'etcd-client']);
  } catch {
    // Without a network, or without the package: the caller sees that it is still missing.
  }
}

async function healthy(endpoint: string, child: ChildProcess): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-4000);
  });
  for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += 50) {
    if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}: ${output}`);
    const isHealthy = await fetch(`${endpoint}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (isHealthy) return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`etcd was not healthy within ${START_MS_MAX} ms: ${output}`);
}
