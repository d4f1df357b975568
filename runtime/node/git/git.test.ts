import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

test('what two hundred fetches have left is not looked through any more', async () => {
  const scene = await start();
  const remote = await scene.remote();
  const { signal } = new AbortController();
  const limits = { fetchBytesMax: 1e6, filesMax: 100 };
  const packs = join(scene.folder, 'dom', 'it.git', 'objects', 'pack');
  const held = (): number => readdirSync(packs).filter((name) => name.endsWith('.pack')).length;
  const fetch = async (text: string): Promise<number> => {
    const commit = await remote.commit({ 'a.txt': text });
    const from = { id: 'it', url: remote.url, credentials: {} };
    const opened = await scene.git.open(from, { commit, name: undefined }, { limits, signal });
    expect(await opened.list('')).toHaveLength(1);
    await opened.close();
    return held();
  };
  try {
    expect(await fetch('one')).toBe(1);
    // As 198 small commits leave them; git does not look at one without its index.
    for (let pack = 0; pack < 198; pack += 1) writeFileSync(join(packs, `pack-${pack}.pack`), '');
    expect(await fetch('two')).toBe(200);
    expect(await fetch('three')).toBe(1);
  } finally {
    await scene.end();
  }
});
