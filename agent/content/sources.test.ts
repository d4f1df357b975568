import { afterEach, describe, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import type { Peer, PeerAnswer, PeersQuestion } from '../../runtime/content/peers.ts';
import { encodeHeads, NOT_YET } from '../../runtime/content/small-blobs.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import { desired, type PlayedFault, playedSource, release } from './content.fixture.ts';
import { PEER_PATIENCE_MS, PEER_STALL_MS } from './peer-list.ts';
import { type ContentReconciler, createContentReconciler } from './reconciler.ts';

const site = release({
  'index.html': 'the page '.repeat(50),
  'about.html': 'about',
  'a.css': 'css',
});
const files = [...site.blobs.keys()].filter((digest) => digest !== site.digest);

/** How an edge answers; `count`: of what it was asked before. */
type Play = (
  digest: Digest,
  offsetBytes: number,
  count: number,
) => PeerAnswer | Promise<PeerAnswer>;

const has: Play = (digest, offsetBytes) => bytes(rightOf(digest).subarray(offsetBytes));
const never = new Promise<never>(() => undefined);

const rightOf = (digest: Digest): Uint8Array => site.blobs.get(digest) ?? new Uint8Array();

function bytes(...pieces: readonly (Uint8Array | 'cut' | 'hang')[]): PeerAnswer {
  async function* all() {
    for (const piece of pieces) {
      if (piece === 'cut') throw new Error('the stream was cut');
      yield piece === 'hang' ? await never : piece;
    }
  }
  return { kind: 'bytes', pieces: all() };
}

/** How it answers a question for several: with what each play gives, one behind the other. */
async function severalOf(
  digests: readonly Digest[],
  play: (digest: Digest) => PeerAnswer | Promise<PeerAnswer>,
): Promise<PeerAnswer> {
  const heads: (number | string)[] = [];
  const found: AsyncIterable<Uint8Array>[] = [];
  for (const digest of digests) {
    const answer = await play(digest);
    if (answer.kind === 'busy' || answer.kind === 'refused') return answer;
    if (answer.kind === 'bytes') found.push(answer.pieces);
    heads.push(answer.kind === 'bytes' ? rightOf(digest).length : NOT_YET);
  }
  if (found.length === 0) return { kind: 'not yet', heldBytes: 0 };
  async function* all() {
    for (const pieces of found) yield* pieces;
  }
  return { kind: 'bytes', pieces: all(), heads: encodeHeads(heads) };
}

let stop: (() => Promise<void>) | undefined;
afterEach(async () => stop?.());

interface World {
  readonly clock: VirtualClock;
  readonly content: ContentReconciler;
  /** By edge: the files that it was asked for. */
  readonly asked: Readonly<Record<string, Digest[]>>;
  readonly questions: PeersQuestion[];
  /** Paths that edges were asked for. */
  readonly paths: string[];
  /** Files that dom was asked for. */
  readonly fromDom: () => readonly Digest[];
  /** Until all is here; in seconds of virtual time. */
  whole(): Promise<number>;
}

function start(
  edges: Readonly<Record<string, Play>>,
  more: {
    readonly find?: (question: PeersQuestion) => Promise<readonly string[]>;
    readonly dom?: (digest: Digest, count: number) => PlayedFault;
    readonly askBytesMin?: number;
    readonly disk?: Disk;
    /** `old`: no edge knows of questions for several. */
    readonly age?: 'old' | 'new';
  } = {},
): World {
  const [clock, disk] = [virtualClock(), more.disk ?? memoryDisk()];
  const source = playedSource(site.blobs, more.dom);
  const asked = Object.fromEntries(Object.keys(edges).map((node) => [node, [] as Digest[]]));
  const questions: PeersQuestion[] = [];
  const paths: string[] = [];
  const { find = async () => Object.keys(edges), askBytesMin = 0, age = 'new' } = more;
  const peerOf = (node: string): Peer => ({
    ...{ node, addresses: ['192.0.2.1'], httpsPort: 443, fingerprint: '00', untilS: 1 },
    grant: Buffer.from(node),
  });
  const content = createContentReconciler({
    ...{ disk, clock, source, log: silentLog, onChange: () => undefined },
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) },
    peers: {
      ...{ node: 'paris', askBytesMin },
      finder: {
        find: async (question) => {
          questions.push(question);
          return (await find(question)).map(peerOf);
        },
      },
      fetcher: {
        get: async ({ node }, { path, offsetBytes }) => {
          paths.push(path);
          const [, way, named = ''] = /\/b8s\/(blobs?)\/([^?]+)\?/u.exec(path) ?? [];
          const play = async (digest: Digest): Promise<PeerAnswer> => {
            asked[node]?.push(digest);
            const count = asked[node]?.length ?? 0;
            return (await edges[node]?.(digest, offsetBytes, count - 1)) ?? { kind: 'busy' };
          };
          if (way === 'blob') return play(`sha256-${named}`);
          if (age === 'old') return { kind: 'refused', why: 'it answered 403' };
          return severalOf(
            named.split(',').map((hex): Digest => `sha256-${hex}`),
            play,
          );
        },
      },
    },
  });
  const over = new AbortController();
  const running = content.run(over.signal);
  stop = async () => {
    over.abort(new Error('the test is over'));
    await running;
  };
  content.want(desired({ releases: [site.digest] }));
  return {
    ...{ clock, content, asked, questions, paths },
    fromDom: () => source.asked.map(({ digest }) => digest).filter((each) => each !== site.digest),
    async whole() {
      const startMs = clock.monotonicMs();
      for (let steps = 0; !content.state().verified.has(site.digest); steps += 1) {
        if (steps > 1000) throw new Error(`not here: ${JSON.stringify(content.state())}`);
        await clock.advance(200);
      }
      for (const digest of files)
        expect(digestOf((await disk.read(blobPath(digest))) ?? new Uint8Array())).toBe(digest);
      return Math.ceil((clock.monotonicMs() - startMs) / 1000);
    },
  };
}

describe('a release comes', () => {
  test('from an edge that dom names; its list from dom', async () => {
    const world = start({ london: has });
    expect(await world.whole()).toBeLessThanOrEqual(1);
    expect(world.asked['london']?.toSorted()).toEqual(files.toSorted());
    expect(world.paths).toHaveLength(1);
    expect(world.fromDom()).toEqual([]);
    expect(world.questions).toMatchObject([{ list: site.digest, missingBytes: 458, failed: [] }]);
  });

  test('from dom, when dom names nobody, cannot be asked, or too little is missing', async () => {
    for (const more of [
      { find: async () => [] },
      { find: () => Promise.reject(new Error('dom is too old')) },
      { find: () => never },
      { askBytesMin: 459 },
    ]) {
      const world = start({ london: has }, more);
      await world.whole();
      expect(world.asked['london']).toEqual([]);
      expect(world.fromDom().toSorted()).toEqual(files.toSorted());
      await stop?.();
    }
  });

  const useless: readonly (readonly [how: string, play: Play, secondsMax: number])[] = [
    ['cannot be reached', () => Promise.reject(new Error('ECONNREFUSED')), 1],
    ['refuses', () => ({ kind: 'refused', why: 'it answered 404' }), 1],
    ['never answers', () => never, PEER_STALL_MS / 1000 + 1],
    ['sends nothing', () => bytes('hang'), PEER_STALL_MS / 1000 + 1],
    ['stops in the middle', () => bytes(Buffer.from('the'), 'hang'), PEER_STALL_MS / 1000 + 1],
    ['breaks off', () => bytes(Buffer.from('the'), 'cut'), 1],
    ['sends other bytes', () => bytes(Buffer.from('evil')), 1],
    ['sends other bytes of the same length', (each) => bytes(rightOf(each).toReversed()), 1],
    ['sends too much', (each) => bytes(rightOf(each), Buffer.from('more')), 1],
    ['sends without an end', () => bytes(...Array<Uint8Array>(1000).fill(Buffer.alloc(64))), 1],
    ['sends too little', (each) => bytes(rightOf(each).subarray(0, -1)), 1],
    ['has nothing', () => ({ kind: 'not yet', heldBytes: 0 }), PEER_PATIENCE_MS / 1000 + 1],
    ['has no time', () => ({ kind: 'busy' }), PEER_PATIENCE_MS / 1000 + 1],
  ];
  const ages = ['old', 'new'] as const;
  const uselessOfEachAge = ages.flatMap((age) =>
    useless.map(([how, play, secondsMax]) => [age, how, play, secondsMax] as const),
  );
  test.each(uselessOfEachAge)(
    'from the next edge, when the first, %s one %s',
    async (age, _how, play, secondsMax) => {
      const world = start({ london: play, rome: has }, { age });
      expect(await world.whole()).toBeLessThanOrEqual(secondsMax);
      expect(world.asked['rome']).not.toEqual([]);
      expect(world.fromDom()).toEqual([]);
      expect(world.content.state().errors).toEqual(new Map());
    },
  );

  test.each(uselessOfEachAge)(
    'from dom, when three %s edges do so: it %s',
    async (age, _how, play, secondsMax) => {
      const world = start({ london: play, rome: play, oslo: play }, { age });
      expect(await world.whole()).toBeLessThanOrEqual(3 * secondsMax);
      expect(world.fromDom()).not.toEqual([]);
      // Each was tried, and none again.
      expect(world.questions).toHaveLength(1);
    },
  );

  test('from an edge that gets it only now, as long as there is more of it each time', async () => {
    const world = start(
      {
        london: (digest, offset, count) =>
          count < 150 ? { kind: 'not yet', heldBytes: count } : has(digest, offset, count),
        rome: has,
      },
      { age: 'old' },
    );
    expect(await world.whole()).toBeGreaterThan(PEER_PATIENCE_MS / 1000 - 1);
    expect(world.asked['rome']).toEqual([]);
  });

  test.each([
    // Each once, one every tenth of a second, and each once more when it is there.
    { age: 'old', pathsMax: files.length * 2 + 50 + 2 },
    { age: 'new', pathsMax: 1 + 50 + 1 },
  ] as const)(
    'from an $age edge that has nothing yet, which is not asked for all of it all the time',
    async ({ age, pathsMax }) => {
      const world = start(
        {
          london: (digest, offset, count) =>
            world.clock.monotonicMs() < startMs + 5000
              ? { kind: 'not yet', heldBytes: 0 }
              : has(digest, offset, count),
        },
        { age },
      );
      const startMs = world.clock.monotonicMs();
      await world.whole();
      expect(world.paths.length).toBeLessThanOrEqual(pathsMax);
    },
  );

  test('from an edge as it gets it: what is not there yet is asked for once more, and no more often', async () => {
    const [first] = files;
    const world = start({
      london: (digest, offset, count) =>
        digest === first || world.clock.monotonicMs() >= startMs + 5000
          ? has(digest, offset, count)
          : { kind: 'not yet', heldBytes: 0 },
      rome: has,
    });
    const startMs = world.clock.monotonicMs();
    expect(await world.whole()).toBeGreaterThanOrEqual(5);
    expect(world.asked['london']?.filter((digest) => digest === first)).toHaveLength(1);
    expect(world.paths.length).toBeLessThanOrEqual(1 + 50 + 2);
    expect(world.asked['rome']).toEqual([]);
    expect(world.content.state().errors).toEqual(new Map());
  });

  test('from dom, and it is asked once more after a while, with the names of the useless', async () => {
    const hung = files[0];
    const world = start(
      { london: () => ({ kind: 'refused', why: 'no' }) },
      { dom: (digest, count) => (digest === hung && count < 8 ? { cutAfterBytes: 0 } : {}) },
    );
    await world.whole();
    const [, second] = world.questions;
    expect(world.questions.length).toBeLessThanOrEqual(2);
    if (second !== undefined) expect(second.failed).toEqual(['london']);
  });
});

test('a disk that is full is no edge’s fault: it is asked again, and dom is not', async () => {
  const disk = memoryDisk();
  let room: 'none' | 'enough' = 'none';
  const write = disk.write.bind(disk);
  disk.write = async (path, content) => {
    if (room === 'none' && path.startsWith('blobs') && content.length > 400)
      throw new Error(`write ${path}: no space left on device`);
    await write(path, content);
  };
  const world = start({ london: has }, { disk });
  await world.clock.advance(5_000);
  room = 'enough';
  await world.whole();
  expect(world.questions).toHaveLength(1);
  expect(world.fromDom()).toEqual([]);
});
