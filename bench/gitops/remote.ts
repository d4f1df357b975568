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
  return {
    commit: (files, how) => remote.commit(files, how),
    url: `git://${address}:${port}/infra.git`,
    stop() {
      if (daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
    },
  };
}
