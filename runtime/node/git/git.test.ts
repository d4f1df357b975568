import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type GitScene, gitCases, type PushedRemote } from '../../git/git.case.ts';
import { verifyCases } from '../../git/verify.case.ts';
import { BareRemote, testFolder } from './bare-remote.fixture.ts';
import { createGit } from './git.ts';
import { pgpKeys } from './pgp-keys.fixture.ts';

async function start(): Promise<GitScene & { readonly folder: string }> {
  const folder = testFolder();
  const git = await createGit({ folder: join(folder, 'dom'), fileUrls: 'allowed' });
  return {
    ...{ git, folder },
    async remote(): Promise<PushedRemote> {
      const remote = new BareRemote(join(folder, `remote-${readdirSync(folder).length}.git`));
      return {
        url: `file://${remote.folder}`,
        commit: (files, options) => remote.commit(files, options),
        tag: async (name, commit, options) => remote.tag(name, commit, options),
      };
    },
    nowhere: `file://${folder}/nowhere.git`,
    end: async () => rmSync(folder, { recursive: true }),
  };
}

gitCases(start);

verifyCases(async () => {
  const scene = await start();
  const { keys, home } = pgpKeys(join(scene.folder, 'gpg'));
  return {
    ...{ ...scene, pgp: keys },
    async end() {
      home.end();
      await scene.end();
    },
  };
});
