import { gitCases, type PushedRemote } from '../git.case.ts';
import { fakeGit } from './fake-git.ts';
import { FakeRemote } from './remote.ts';

gitCases(async () => {
  const remotes = new Map<string, FakeRemote>();
  return {
    git: fakeGit({ remotes }),
    async remote(): Promise<PushedRemote> {
      const remote = new FakeRemote();
      const url = `https://git.example.com/${remotes.size}`;
      remotes.set(url, remote);
      return {
        url,
        commit: async (files, options) => remote.commit(files, options),
        tag: async (name, commit) => remote.tag(name, commit),
      };
    },
    nowhere: 'https://git.example.com/nowhere',
    end: async () => {},
  };
});
