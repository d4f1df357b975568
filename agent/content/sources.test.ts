import { afterEach, describe, expect, test } from 'vitest';
import { blobPath, type Digest, digestHex, digestOf } from '../../runtime/content/digest.ts';
import type { Peer, PeerAnswer, PeersQuestion } from '../../runtime/content/peers.ts';
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
const page = digestOf(Buffer.from('the page '.repeat(50)));

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

let stop: (() => Promise<void>) | undefined;
afterEach(async () => stop?.());

interface World {
  readonly clock: VirtualClock;
  readonly content: ContentReconciler;
  /** By edge: the files that it was asked for. */
  readonly asked: Readonly<Record<string, Digest[]>>;
  readonly questions: PeersQuestion[];
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
  } = {},
): World {
  const [clock, disk] = [virtualClock(), more.disk ?? memoryDisk()];
  const source = playedSource(site.blobs, more.dom);
  const asked = Object.fromEntries(Object.keys(edges).map((node) => [node, [] as Digest[]]));
  const questions: PeersQuestion[] = [];
  const { find = async () => Object.keys(edges), askBytesMin = 0 } = more;
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
          const digest = files.find((each) => path.includes(`/${digestHex(each)}?`)) ?? page;
          asked[node]?.push(digest);
          const count = asked[node]?.length ?? 0;
          return (await edges[node]?.(digest, offsetBytes, count - 1)) ?? { kind: 'busy' };
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
    ...{ clock, content, asked, questions },
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
  test.each(useless)(
    'from the next edge, when the first one %s',
    async (_how, play, secondsMax) => {
      const world = start({ london: play, rome: has });
      expect(await world.whole()).toBeLessThanOrEqual(secondsMax);
      expect(world.asked['rome']).not.toEqual([]);
      expect(world.fromDom()).toEqual([]);
      expect(world.content.state().errors).toEqual(new Map());
    },
  );

  test.each(useless)(
    'from dom, when all three edges do so: it %s',
    async (_how, play, secondsMax) => {
      const world = start({ london: play, rome: play, oslo: play });
      expect(await world.whole()).toBeLessThanOrEqual(3 * secondsMax);
      expect(world.fromDom()).not.toEqual([]);
      // Each was tried, and none again.
      expect(world.questions).toHaveLength(1);
    },
  );

  test('from an edge that gets it only now, as long as there is more of it each time', async () => {
    const world = start({
      london: (digest, offset, count) =>
        count < 150 ? { kind: 'not yet', heldBytes: count } : has(digest, offset, count),
      rome: has,
    });
    expect(await world.whole()).toBeGreaterThan(PEER_PATIENCE_MS / 1000 - 1);
    expect(world.asked['rome']).toEqual([]);
  });

  test('from an edge that has nothing yet, which is not asked for all of it all the time', async () => {
    const world = start({
      london: (digest, offset, count) =>
        world.clock.monotonicMs() < startMs + 5000
          ? { kind: 'not yet', heldBytes: 0 }
          : has(digest, offset, count),
    });
    const startMs = world.clock.monotonicMs();
    await world.whole();
    // Each once, one every tenth of a second, and each once more when it is there.
    expect(world.asked['london']?.length).toBeLessThanOrEqual(files.length * 2 + 50 + 2);
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
