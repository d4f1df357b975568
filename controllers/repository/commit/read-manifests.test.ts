import { expect, test } from 'vitest';
import type { Clock } from '../../../runtime/clock.ts';
import { fakeGit } from '../../../runtime/git/fake/fake-git.ts';
import { FakeRemote } from '../../../runtime/git/fake/remote.ts';
import type { GitCommit } from '../../../runtime/git/git.ts';
import { virtualClock } from '../../../runtime/test-clock.ts';
import {
  MANIFEST_BYTES_MAX,
  MANIFESTS_BYTES_MAX,
  OBJECTS_MAX,
  type ReadManifests,
  readManifests,
} from './read-manifests.ts';

const URL = 'https://git.example.com/infra.git';

interface Read extends ReadManifests {
  /** In the order in which they were read. */
  readonly opened: readonly string[];
}

async function read(
  files: Readonly<Record<string, string>>,
  clock: Clock = virtualClock(),
): Promise<Read> {
  const remote = new FakeRemote();
  const commit = remote.commit(files);
  const remotes = new Map([[URL, remote]]);
  const from = await fakeGit({ remotes }).open(
    { id: 'it', url: URL, credentials: {} },
    { commit, name: undefined },
    {
      limits: { fetchBytesMax: 1e9, filesMax: 1e6 },
      signal: new AbortController().signal,
    },
  );
  const opened: string[] = [];
  const noted: GitCommit = {
    ...from,
    read(entry) {
      opened.push(entry.path);
      return from.read(entry);
    },
  };
  const entries = (await from.list('')) ?? [];
  const found = await readManifests(
    noted,
    { entries, keys: 'there are none', namespace: 'default' },
    clock,
  );
  return { ...found, opened };
}

const issuer = (name: string): string =>
  `{"apiVersion":"b8s.dev/v1","kind":"Issuer","metadata":{"name":"${name}"},"spec":{"ca":{}}}`;
const site = (path: string): string =>
  `{"apiVersion":"b8s.dev/v1","kind":"Site","metadata":{"name":"web"},"spec":{"hosts":["w.example.com"],"content":{"path":"${path}"}}}`;
const names = ({ declarations }: Read): readonly string[] =>
  declarations.map(({ object }) => object.metadata.name);
const padded = (name: string, sizeBytes: number): string => issuer(name).padEnd(sizeBytes, ' ');

test('a file has a bound, and who is above it is told what to do', async () => {
  const fits = await read({ 'a.json': padded('a', MANIFEST_BYTES_MAX) });
  expect(fits).toMatchObject({ problems: [], declarations: [{ folder: '.' }] });
  const large = await read({ 'a.json': padded('a', MANIFEST_BYTES_MAX + 1) });
  expect(large.problems).toEqual([
    'a.json is 1000001 bytes long; at most 1000000 are possible for a manifest: split it into several files',
  ]);
  expect(large.opened).toEqual([]);
});

test('all files together have a bound, and nothing is read beyond it', async () => {
  const count = MANIFESTS_BYTES_MAX / MANIFEST_BYTES_MAX;
  const files = Object.fromEntries(
    Array.from({ length: count + 2 }, (_, index) => [
      `${String.fromCodePoint(97 + index)}.json`,
      padded(`a${index}`, MANIFEST_BYTES_MAX),
    ]),
  );
  const { problems, opened } = await read(files);
  expect(opened).toHaveLength(count);
  expect(problems).toEqual([
    expect.stringMatching(/^i\.json makes it more than 8000000 bytes.*several Repositories/),
    expect.stringMatching(/^j\.json makes it more/),
  ]);
});

test('documents are counted while they are read, those of lists, too', async () => {
  const list = `{"kind":"List","items":[${Array.from({ length: OBJECTS_MAX }, () => '{}').join()}]}`;
  const { problems, opened } = await read({
    'a.json': list,
    'b.json': issuer('b'),
    'c.json': issuer('c'),
  });
  expect(problems).toEqual([expect.stringMatching(/more than 10000 objects; split them/)]);
  expect(opened).toEqual(['a.json', 'b.json']);
});

test('a file of very many short values is not parsed', async () => {
  for (const text of [`[${'1,'.repeat(100_001)}1]`, '- 1\n'.repeat(100_001)]) {
    const { problems } = await read({ 'a.yaml': text });
    expect(problems).toEqual(['a.yaml has more than 100000 values; split it into several files']);
  }
});

test('the content of a Site further up is not read, and does not count', async () => {
  const large = padded('large', MANIFEST_BYTES_MAX + 1);
  const found = await read({
    'web.json': site('web/public'),
    'web/a.json': issuer('a'),
    'web/public/data.json': large,
    'web/public/deep/site.json': site('..'),
    'web/publicity/b.json': issuer('b'),
  });
  expect(found.problems).toEqual([]);
  expect(names(found)).toEqual(['web', 'a', 'b']);
  expect(found.opened).toEqual(['web.json', 'web/a.json', 'web/publicity/b.json']);
});

test('content that is read before its Site is content all the same', async () => {
  const found = await read({
    'a/data.json': padded('a', MANIFEST_BYTES_MAX + 1),
    'a/x.json': '[',
    'b/site.json': site('../a'),
  });
  expect(found.problems).toEqual([]);
  expect(names(found)).toEqual(['web']);
});

test('very many folders of Sites cost no more than one', async () => {
  const sites = Array.from({ length: 5_000 }, (_, index) =>
    site(`s${index}`).replace('"web"', `"s${index}"`),
  );
  const { declarations } = await read({ 'all.yaml': sites.join('\n---\n') });
  expect(declarations).toHaveLength(5_000);
});

test('others have their turn for as long as the work took', async () => {
  let nowMs = 0;
  const rests: number[] = [];
  // Each look at it takes 15 ms: so does each file.
  const busy: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => (nowMs += 15),
    sleep: async (ms) => void rests.push(ms),
  };
  const files = Object.fromEntries(
    [...'abcde'].map((name) => [`${name}.json`, issuer(name)] as const),
  );
  await read(files, busy);
  expect(rests).toEqual([30, 30]);
});
