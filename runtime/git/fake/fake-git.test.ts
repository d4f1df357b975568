import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { testFolder } from '../../node/git/bare-remote.fixture.ts';
import { judgeOpenPgp } from '../../node/git/gpg.ts';
import { pgpKeys } from '../../node/git/pgp-keys.fixture.ts';
import { type GitScene, gitCases, type PushedRemote } from '../git.case.ts';
import type { OpenPgp } from '../signature/verify.ts';
import { verifyCases } from '../verify.case.ts';
import { fakeGit } from './fake-git.ts';
import { FakeRemote } from './remote.ts';

async function start(openPgp?: OpenPgp): Promise<GitScene> {
  const remotes = new Map<string, FakeRemote>();
  return {
    git: fakeGit({ remotes, ...(openPgp !== undefined && { openPgp }) }),
    async remote(): Promise<PushedRemote> {
      const remote = new FakeRemote();
      const url = `https://git.example.com/${remotes.size}`;
      remotes.set(url, remote);
      return {
        url,
        commit: async (files, options) => remote.commit(files, options),
        tag: async (name, commit, options) => remote.tag(name, commit, options),
      };
    },
    nowhere: 'https://git.example.com/nowhere',
    end: async () => {},
  };
}

gitCases(() => start());

verifyCases(async () => {
  const folder = testFolder();
  const { keys, home } = pgpKeys(join(folder, 'gpg'));
  const { signal } = new AbortController();
  const scene = await start((call) => judgeOpenPgp(call, { folder, id: 'fake', signal }));
  return {
    ...{ ...scene, pgp: keys },
    async end() {
      home.end();
      rmSync(folder, { recursive: true });
    },
  };
});
