import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gitCases, type PushedRemote } from '../../git/git.case.ts';
import { BareRemote, testFolder } from './bare-remote.fixture.ts';
import { createGit } from './git.ts';

gitCases(async () => {
  const folder = testFolder();
  const git = await createGit({ folder: join(folder, 'dom'), fileUrls: 'allowed' });
  return {
    git,
    async remote(): Promise<PushedRemote> {
      const remote = new BareRemote(join(folder, `remote-${readdirSync(folder).length}.git`));
      return {
        url: `file://${remote.folder}`,
        commit: (files, options) => remote.commit(files, options),
        tag: async (name, commit) => remote.tag(name, commit),
      };
    },
    nowhere: `file://${folder}/nowhere.git`,
    end: async () => rmSync(folder, { recursive: true }),
  };
});
