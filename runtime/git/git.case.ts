import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeFile, FakeSign } from './fake/remote.ts';
import type { Git, GitCommit, GitRef, GitRemote } from './git.ts';

/** A remote that the test may push to. */
export interface PushedRemote {
  readonly url: string;
  /** Pushes a commit of these files and no others, to `main` unless it says otherwise. */
  commit(
    files: Readonly<Record<string, FakeFile>>,
    options?: { readonly branch?: string; readonly subject?: string; readonly sign?: FakeSign },
  ): Promise<string>;
  /** `inside`: the name that the tag says itself. */
  tag(
    name: string,
    commit: string,
    options?: { readonly sign?: FakeSign; readonly inside?: string },
  ): Promise<void>;
}

export interface GitScene {
  readonly git: Git;
  /** An empty one. */
  remote(): Promise<PushedRemote>;
  /** A URL at which nobody answers. */
  readonly nowhere: string;
  end(): Promise<void>;
}

const LIMITS = { fetchBytesMax: 4_000_000, filesMax: 50 };
const calm = new AbortController().signal;

/** The contract of `Git`: every implementation passes it. */
export function gitCases(start: () => Promise<GitScene>): void {
  let scene: GitScene;
  let ids = 0;
  beforeAll(async () => {
    scene = await start();
  });
  afterAll(() => scene.end());

  const to = (url: string): GitRemote => ({ id: `r${(ids += 1)}`, url, credentials: {} });
  const read = async (remote: GitRemote, commit: string): Promise<GitCommit> =>
    scene.git.open(remote, { commit, name: undefined }, { limits: LIMITS, signal: calm });
  const textOf = async (from: GitCommit, path: string): Promise<string | undefined> => {
    const entry = (await from.list(''))?.find((each) => each.path === path);
    if (entry === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of from.read(entry)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  describe('resolve', () => {
    test('each kind of ref is the commit that it names at the remote', async () => {
      const remote = await scene.remote();
      const first = await remote.commit({ a: '1' });
      await remote.tag('v1.2.0', first);
      const second = await remote.commit({ a: '2' });
      await remote.tag('v1.10.0', second);
      const third = await remote.commit({ a: '3' }, { branch: 'next/one' });
      await remote.tag('v2.0.0', third);
      const refs: readonly (readonly [GitRef, string, string | undefined])[] = [
        [{ kind: 'head' }, second, 'HEAD'],
        [{ kind: 'branch', name: 'main' }, second, 'refs/heads/main'],
        [{ kind: 'branch', name: 'next/one' }, third, 'refs/heads/next/one'],
        [{ kind: 'tag', name: 'v1.2.0' }, first, 'refs/tags/v1.2.0'],
        [{ kind: 'semver', range: '^1' }, second, 'refs/tags/v1.10.0'],
        [{ kind: 'commit', commit: first }, first, undefined],
      ];
      for (const [ref, commit, name] of refs)
        expect(await scene.git.resolve(to(remote.url), ref, calm)).toMatchObject({ commit, name });
    });

    test.each<{ readonly when: string; readonly ref: GitRef }>([
      { when: 'the branch', ref: { kind: 'branch', name: 'gone' } },
      // A name that ends like another one is another one.
      { when: 'the whole name of the branch', ref: { kind: 'branch', name: 'one' } },
      { when: 'the tag', ref: { kind: 'tag', name: 'v9' } },
      { when: 'a version in that range', ref: { kind: 'semver', range: '^9' } },
    ])('RefNotFound when the remote lacks $when', async ({ ref }) => {
      const remote = await scene.remote();
      const commit = await remote.commit({ a: '1' }, { branch: 'next/one' });
      await remote.tag('v1.0.0', commit);
      const asked = scene.git.resolve(to(remote.url), ref, calm);
      await expect(asked).rejects.toMatchObject({ name: 'GitError', reason: 'RefNotFound' });
    });

    test('RefNotFound when nothing was ever pushed', async () => {
      const remote = await scene.remote();
      const asked = scene.git.resolve(to(remote.url), { kind: 'head' }, calm);
      await expect(asked).rejects.toMatchObject({ reason: 'RefNotFound' });
    });

    test('Unreachable when nobody answers', async () => {
      const asked = scene.git.resolve(to(scene.nowhere), { kind: 'head' }, calm);
      await expect(asked).rejects.toMatchObject({ name: 'GitError', reason: 'Unreachable' });
    });

    test('it ends with its signal', async () => {
      const remote = await scene.remote();
      const reason = new Error('enough');
      const asked = scene.git.resolve(to(remote.url), { kind: 'head' }, AbortSignal.abort(reason));
      await expect(asked).rejects.toBe(reason);
    });
  });

  describe('open', () => {
    test('what a commit holds is listed by its bytes, with all kinds told apart', async () => {
      const remote = await scene.remote();
      const submodule = '1234567890123456789012345678901234567890';
      const commit = await remote.commit(
        {
          'b.yaml': 'bb',
          'a/z': 'x',
          'a-b': '',
          'a/link': { link: '../../etc' },
          sub: { submodule },
        },
        { subject: 'A subject' },
      );
      const from = await read(to(remote.url), commit);
      expect(from).toMatchObject({ commit, subject: 'A subject', author: 'Ada' });
      const listed = await from.list('');
      expect(listed?.map(({ path, kind, sizeBytes }) => [path, kind, sizeBytes])).toEqual([
        ['a-b', 'file', 0],
        ['a/link', 'link', 9],
        ['a/z', 'file', 1],
        ['b.yaml', 'file', 2],
        ['sub', 'submodule', 0],
      ]);
      expect((await from.list('a'))?.map(({ path }) => path)).toEqual(['a/link', 'a/z']);
      expect(await from.list('a/z')).toBeUndefined();
      expect(await from.list('gone')).toBeUndefined();
      expect(await from.list('../a')).toBeUndefined();
      await from.close();
    });

    test('files are read one after the other, whole or in part, the same twice', async () => {
      const remote = await scene.remote();
      const large = 'x'.repeat(300_000);
      const commit = await remote.commit({
        empty: '',
        large,
        small: 'line\n\n',
        words: 'ä\u0000b',
      });
      const from = await read(to(remote.url), commit);
      const entry = (await from.list(''))?.find(({ path }) => path === 'large');
      if (entry === undefined) throw new Error('no entry');
      for await (const chunk of from.read(entry)) if (chunk.length > 0) break;
      const paths = ['empty', 'large', 'small', 'words', 'large'];
      const texts = await Promise.all(paths.map((path) => textOf(from, path)));
      expect(texts).toEqual(['', large, 'line\n\n', 'ä\u0000b', large]);
      await from.close();
    });

    test('a commit is read when its branch has gone on, and after another one', async () => {
      const remote = await scene.remote();
      const place = to(remote.url);
      const first = await remote.commit({ a: '1' });
      const second = await remote.commit({ a: '2' });
      for (const [commit, text] of [
        [second, '2'],
        [first, '1'],
        [second, '2'],
      ] as const) {
        const from = await read(place, commit);
        expect(await textOf(from, 'a')).toBe(text);
        await from.close();
      }
    });

    test('equal bytes have one id, in whatever commit', async () => {
      const remote = await scene.remote();
      const place = to(remote.url);
      const idOf = async (commit: string, path: string): Promise<string | undefined> => {
        const from = await read(place, commit);
        const entry = (await from.list(''))?.find((each) => each.path === path);
        await from.close();
        return entry?.id;
      };
      const first = await idOf(await remote.commit({ a: 'same' }), 'a');
      expect(first).toMatch(/^[0-9a-f]{40}$/);
      expect(await idOf(await remote.commit({ 'b/c': 'same' }), 'b/c')).toBe(first);
    });

    test('RefNotFound when the remote has no such commit', async () => {
      const remote = await scene.remote();
      await remote.commit({ a: '1' });
      const opened = read(to(remote.url), 'f'.repeat(40));
      await expect(opened).rejects.toMatchObject({ name: 'GitError', reason: 'RefNotFound' });
    });

    test('Unreachable when nobody answers', async () => {
      const opened = read(to(scene.nowhere), 'f'.repeat(40));
      await expect(opened).rejects.toMatchObject({ reason: 'Unreachable' });
    });

    test('TooLarge when more would be fetched than is allowed, and smaller ones are fetched after', async () => {
      const remote = await scene.remote();
      const place = to(remote.url);
      const large = await remote.commit({ noise: noise(6_000_000) });
      await expect(read(place, large)).rejects.toMatchObject({ reason: 'TooLarge' });
      const small = await remote.commit({ a: '1' });
      const from = await read(place, small);
      expect(await textOf(from, 'a')).toBe('1');
      await from.close();
    });

    test('TooLarge when there are more files than allowed', async () => {
      const remote = await scene.remote();
      const names = Array.from({ length: 51 }, (_, index) => [`f${index}`, 'x'] as const);
      const commit = await remote.commit(Object.fromEntries(names));
      const from = await read(to(remote.url), commit);
      await expect(from.list('')).rejects.toMatchObject({ reason: 'TooLarge' });
      await from.close();
    });

    test('it ends with its signal', async () => {
      const remote = await scene.remote();
      const commit = await remote.commit({ a: '1' });
      const reason = new Error('enough');
      const options = { limits: LIMITS, signal: AbortSignal.abort(reason) };
      const opened = scene.git.open(to(remote.url), { commit, name: undefined }, options);
      await expect(opened).rejects.toBe(reason);
    });
  });

  test('what is dropped is fetched again', async () => {
    const remote = await scene.remote();
    const place = to(remote.url);
    const commit = await remote.commit({ a: '1' });
    await (await read(place, commit)).close();
    await scene.git.keepOnly([]);
    const from = await read(place, commit);
    expect(await textOf(from, 'a')).toBe('1');
    await from.close();
  });
}

/** Bytes that no packing makes shorter, the same each time (xorshift). */
function noise(sizeBytes: number): Uint8Array {
  let state = 88_675_123;
  return Uint8Array.from({ length: sizeBytes }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}
