import { type ChildProcess, spawn } from 'node:child_process';
import { BareRemote } from '../../runtime/node/git/bare-remote.fixture.ts';

/** A repository on this machine, served by Debian's git daemon. */
export interface ServedRemote {
  readonly url: string;
  readonly commit: BareRemote['commit'];
  stop(): void;
}

export function serveRemote(
  folder: string,
  { address, port }: { readonly address: string; readonly port: number },
): ServedRemote {
  const remote = new BareRemote(`${folder}/infra.git`);
  const how = ['--reuseaddr', '--export-all', `--base-path=${folder}`, `--listen=${address}`];
  const daemon: ChildProcess = spawn(
    '/usr/lib/git-core/git-daemon',
    [...how, `--port=${port}`, folder],
    { detached: true, stdio: 'ignore' },
  );
  const stop = (): void => {
    process.off('exit', stop);
    if (daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
  };
  // Also when this process is told to end before it is done.
  process.once('exit', stop);
  return {
    url: `git://${address}:${port}/infra.git`,
    commit: (files, how) => remote.commit(files, how),
    stop,
  };
}
