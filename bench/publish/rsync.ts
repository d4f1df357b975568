import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from '../../e2e/support/ending.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { until } from '../../e2e/support/processes.ts';

const PROGRAM = '/usr/bin/rsync';

export interface Rsync {
  /** Brings the site to every folder, all at once. */
  sync(): Promise<{ readonly ms: number; readonly sentBytes: number }>;
  stop(): Promise<void>;
}

/** A daemon on loopback and as many folders as there are nodes; undefined: there is no rsync. */
export async function startRsync(options: {
  readonly site: string;
  readonly to: string;
  readonly count: number;
}): Promise<Rsync | undefined> {
  if (!existsSync(PROGRAM)) return undefined;
  const { site, to, count } = options;
  await mkdir(to, { recursive: true });
  const [port = 0] = await freePorts(1);
  const config = join(to, 'rsyncd.conf');
  const lines = ['use chroot = no', `pid file = ${join(to, 'pid')}`, '[site]', `path = ${site}`];
  await writeFile(config, `${[...lines, 'read only = yes', 'max connections = 0'].join('\n')}\n`);
  const where = ['--address=127.0.0.1', `--port=${port}`, `--config=${config}`];
  const daemon = spawn(PROGRAM, ['--daemon', '--no-detach', ...where], { stdio: 'ignore' });
  atEnd(() => void daemon.kill('SIGKILL'));
  const address = `rsync://127.0.0.1:${port}`;
  const ready = () => promisify(execFile)(PROGRAM, [`${address}/`]).then(Boolean, () => false);
  await until('rsync answers', ready, { timeoutMs: 10_000 });
  return {
    async sync() {
      const startMs = performance.now();
      const folders = Array.from({ length: count }, (_, index) => join(to, `folder-${index}`));
      const said = await Promise.all(
        folders.map((folder) =>
          promisify(execFile)(PROGRAM, ['-a', '--stats', `${address}/site/`, `${folder}/`]),
        ),
      );
      const received = said.map(({ stdout }) => /Total bytes received: ([\d,]+)/.exec(stdout)?.[1]);
      const sentBytes = received.reduce((sum, text) => sum + Number(text?.replaceAll(',', '')), 0);
      return { ms: performance.now() - startMs, sentBytes };
    },
    async stop() {
      const ended = once(daemon, 'exit');
      daemon.kill();
      await ended;
    },
  };
}
