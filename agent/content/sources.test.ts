import { afterEach, describe, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import type { Peer, PeerAnswer, PeersQuestion } from '../../runtime/content/peers.ts';
import { encodeHeads, NOT_YET } from '../../runtime/content/small-blobs.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import { desired, type PlayedFault, playedSource, release } from './content.fixture.ts';
import { PEER_STALL_MS } from './peer-list.ts';
import { PEER_PATIENCE_MS } from './peer-patience.ts';
import { type ContentReconciler, createContentReconciler } from './reconciler.ts';

const site = release({
  'index.html': 'the page '.repeat(50),
  'about.html': 'about',
  'a.css': 'css',
});
const files = filesOf(site);
/** Takes minutes to get at `FILM_BYTES_PER_S`. */
const FILM = 'film '.repeat(500_000);
const FILM_BYTES_PER_S = 20_000;
const filmSite = release({
  'film.mp4': FILM,
  'index.html': 'the page of the film',
  'a.css': 'css',
});
const film = digestOf(Buffer.from(FILM));

function filesOf({ digest, blobs }: typeof site): readonly Digest[] {
  return [...blobs.keys()].filter((each) => each !== digest);
}

/** How an edge answers; `count`: of what it was asked before; `elapsedS`: since the test began. */
type Play = (
  digest: Digest,
  offsetBytes: number,
  count: number,
  elapsedS: number,
) => PeerAnswer | Promise<PeerAnswer>;

const has: Play = (digest, offsetBytes) => bytes(rightOf(digest).subarray(offsetBytes));
const never = new Promise<never>(() => undefined);

const rightOf = (digest: Digest): Uint8Array =>
  site.blobs.get(digest) ?? filmSite.blobs.get(digest) ?? new Uint8Array();

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
    if (answer.kind !== 'bytes' && answer.kind !== 'not yet') return answer;
    if (answer.kind === 'bytes') found.push(answer.pieces);
    const head = answer.kind === 'bytes' ? rightOf(digest).length : NOT_YET;
    heads.push('heads' in answer && answer.heads !== undefined ? answer.heads : head);
  }
  if (found.length === 0) return { kind: 'not yet', heldBytes: 0 };
  async function* all() {
    for (const pieces of found) yield* pieces;
  }
  return { kind: 'bytes', pieces: all(), heads: encodeHeads(heads) };
}

/** It gets a film itself, and small files behind that. */
const gets: Play = (digest, offsetBytes, _count, elapsedS) => {
  const heldBytes = elapsedS * FILM_BYTES_PER_S;
  if (heldBytes >= FILM.length) return has(digest, offsetBytes, _count, elapsedS);
  return { kind: 'not yet', heldBytes: digest === film ? Math.floor(heldBytes) : 0 };
};

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
    readonly wanted?: typeof site;
    /** How long what dom names is good for, by its own clock. */
    readonly grantS?: number;
    /** By edge: how far its clock is ahead of dom's. */
    readonly aheadS?: Readonly<Record<string, number>>;
  } = {},
): World {
  const [clock, disk] = [virtualClock(), more.disk ?? memoryDisk()];
  const { wanted = site, grantS = 600, aheadS = {} } = more;
  const source = playedSource(wanted.blobs, more.dom);
  const asked = Object.fromEntries(Object.keys(edges).map((node) => [node, [] as Digest[]]));
  const questions: PeersQuestion[] = [];
  const paths: string[] = [];
  const { find = async () => Object.keys(edges), askBytesMin = 0, age = 'new' } = more;
  const peerOf = (node: string): Peer => ({
    ...{ node, addresses: ['192.0.2.1'], httpsPort: 443, fingerprint: '00' },
    ...{ grant: Buffer.from(node), untilS: Math.floor(clock.nowMs() / 1000) + grantS },
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
        get: async ({ node, untilS }, { path, offsetBytes }) => {
          paths.push(path);
          if (clock.nowMs() / 1000 + (aheadS[node] ?? 0) >= untilS)
            return { kind: 'denied', why: 'it answered 403' };
          const [, way, named = ''] = /\/b8s\/(blobs?)\/([^?]+)\?/u.exec(path) ?? [];
          const played = async (digest: Digest): Promise<PeerAnswer> => {
            asked[node]?.push(digest);
            const count = asked[node]?.length ?? 0;
            const elapsedS = clock.monotonicMs() / 1000;
            const play = edges[node];
            return (await play?.(digest, offsetBytes, count - 1, elapsedS)) ?? { kind: 'busy' };
          };
          if (way === 'blob') return played(`sha256-${named}`);
          if (age === 'old') return { kind: 'denied', why: 'it answered 403' };
          return severalOf(
            named.split(',').map((hex): Digest => `sha256-${hex}`),
            played,
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
  content.want(desired({ releases: [wanted.digest] }));
  return {
    ...{ clock, content, asked, questions, paths },
    fromDom: () =>
      source.asked.map(({ digest }) => digest).filter((each) => each !== wanted.digest),
    async whole() {
      const startMs = clock.monotonicMs();
      for (let steps = 0; !content.state().verified.has(wanted.digest); steps += 1) {
        if (steps > 1000) throw new Error(`not here: ${JSON.stringify(content.state())}`);
        await clock.advance(200);
      }
      for (const digest of filesOf(wanted))
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
    ['takes no grant', () => ({ kind: 'denied', why: 'it answered 403' }), 1],
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
    ['says not yet in a 200', () => ({ ...bytes(), heads: NOT_YET }), PEER_PATIENCE_MS / 1000 + 1],
    [
      'says that it has one byte more each time',
      (_digest, _offset, count) => ({ kind: 'not yet', heldBytes: count + 1 }),
      PEER_PATIENCE_MS / 1000 + 1,
    ],
    [
      'says that it has a megabyte more each time',
      (_digest, _offset, count) => ({ kind: 'not yet', heldBytes: (count + 1) * 1_000_000 }),
      PEER_PATIENCE_MS / 1000 + 1,
    ],
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

  test('from an edge that gets it only now, as long as there is enough more of it', async () => {
    const world = start({ london: gets, rome: has }, { wanted: filmSite });
    expect(await world.whole()).toBeGreaterThan(FILM.length / FILM_BYTES_PER_S - 1);
    expect(world.asked['rome']).toEqual([]);
    expect(world.fromDom()).toEqual([]);
  });

  test('from the next edge, when the first says of a large file that it gets it, too slowly', async () => {
    const slow: Play = (_digest, _offset, count) => ({ kind: 'not yet', heldBytes: count + 1 });
    const world = start({ london: slow, rome: has }, { wanted: filmSite });
    expect(await world.whole()).toBeLessThanOrEqual(PEER_PATIENCE_MS / 1000 + 1);
    expect(world.asked['rome']).toContain(film);
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
          london: (digest, offset, count, elapsedS) =>
            world.clock.monotonicMs() < startMs + 5000
              ? { kind: 'not yet', heldBytes: 0 }
              : has(digest, offset, count, elapsedS),
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
      london: (digest, offset, count, elapsedS) =>
        digest === first || world.clock.monotonicMs() >= startMs + 5000
          ? has(digest, offset, count, elapsedS)
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

describe('a fetch that takes longer than a grant', () => {
  test.each([
    ['clocks agree', 70, 0, 2],
    ['the clock of the edge is ahead', 130, 60, 2],
    ['the clock of the edge is behind', 40, -30, 2],
    ['grants are as short as they may be', 61, 0, 3],
  ])('goes on with another grant when %s', async (_when, grantS, london, questions) => {
    const more = { wanted: filmSite, grantS, aheadS: { london } };
    const world = start({ london: gets, rome: has }, more);
    expect(await world.whole()).toBeLessThanOrEqual(FILM.length / FILM_BYTES_PER_S + 2);
    expect(world.questions).toHaveLength(questions);
    expect(world.questions.flatMap(({ failed }) => failed)).toEqual([]);
    expect(world.asked['rome']).toEqual([]);
    expect(world.fromDom()).toEqual([]);
  });

  test('leaves an edge whose patience is over, whatever grants it had', async () => {
    const liar: Play = (digest, offset, count, elapsedS) =>
      gets(digest, offset, count, Math.min(elapsedS, 65));
    const world = start({ london: liar, rome: has }, { wanted: filmSite, grantS: 70 });
    expect(await world.whole()).toBeLessThanOrEqual(65 + 2 * (PEER_PATIENCE_MS / 1000) + 1);
    expect(world.fromDom()).toEqual([]);
  });

  test('asks dom anew before it goes to an edge that was named long ago', async () => {
    const fails: Play = (digest, offset, count, elapsedS) =>
      elapsedS < 80
        ? gets(digest, offset, count, elapsedS)
        : { kind: 'refused', why: 'it answered 404' };
    const world = start(
      { london: fails, rome: has },
      {
        ...{ wanted: filmSite, grantS: 70, aheadS: { london: -60 } },
        find: async ({ failed }) => ['london', 'rome'].filter((node) => !failed.includes(node)),
      },
    );
    expect(await world.whole()).toBeLessThanOrEqual(82);
    expect(world.questions.map(({ failed }) => failed)).toEqual([[], ['london']]);
    expect(world.asked['rome']?.toSorted()).toEqual(filesOf(filmSite).toSorted());
    expect(world.fromDom()).toEqual([]);
  });

  test('goes to another edge without blame when dom does not name this one again', async () => {
    const world = start(
      { london: gets, rome: has },
      {
        ...{ wanted: filmSite, grantS: 70 },
        find: async () => [world.questions.length === 1 ? 'london' : 'rome'],
      },
    );
    expect(await world.whole()).toBeLessThanOrEqual(72);
    expect(world.questions.map(({ failed }) => failed)).toEqual([[], []]);
    expect(world.fromDom()).toEqual([]);
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
