import { describe, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import type { SmallBlobs } from '../../runtime/content/small-blobs.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { desired, playedSource, release } from './content.fixture.ts';
import { BLOB_STALL_MS_MAX } from './download.ts';
import { SmallDownloads, type SmallOutcome } from './download-small.ts';
import { createContentReconciler } from './reconciler.ts';

const TEXTS = ['one', '', 'three', 'four'];
const bytes = TEXTS.map((text) => Buffer.from(text));
const wanted = bytes.map((each) => ({ digest: digestOf(each), sizeBytes: each.length }));
const sizes = wanted.map(({ sizeBytes }) => sizeBytes);

async function* inPieces(...pieces: readonly (Uint8Array | 'cut' | 'hang')[]) {
  for (const piece of pieces) {
    if (piece === 'cut') throw new Error('the stream was cut');
    if (piece === 'hang') await new Promise(() => undefined);
    else if (typeof piece !== 'string') yield piece;
  }
}

/** What became of each by this answer: `here`, or why not. */
async function fetched(answer: SmallBlobs | Error | 'unknown' | 'silence') {
  const [clock, disk, over] = [virtualClock(), memoryDisk(), new AbortController()];
  const source = {
    ...playedSource(new Map()),
    fetchSmall: async () => {
      if (answer === 'silence') return new Promise<never>(() => undefined);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const downloads = new SmallDownloads();
  const fetching = downloads.fetch(wanted, { disk, source, clock, signal: over.signal });
  const waited = clock.advance(BLOB_STALL_MS_MAX + 1);
  const outcomes = await fetching;
  await waited;
  const told = outcomes === 'unknown' ? outcomes : outcomes.map(inWords);
  return { told, here: here(disk) };
}

function inWords(outcome: SmallOutcome): string {
  return outcome === 'later' ? outcome : (outcome?.message ?? 'here');
}

function here(disk: MemoryDisk): readonly string[] {
  const files = disk.files();
  return wanted.flatMap(({ digest }, index) =>
    Buffer.from(files.get(blobPath(digest)) ?? 'none').equals(bytes[index] ?? Buffer.alloc(0))
      ? [TEXTS[index] ?? '']
      : [],
  );
}

describe('several small blobs by one question', () => {
  test.each([1, 2, 5, 100])('come in pieces of %i bytes', async (pieceBytes) => {
    const all = Buffer.concat(bytes);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += pieceBytes)
      pieces.push(all.subarray(at, at + pieceBytes));
    const world = await fetched({ heads: sizes, pieces: inPieces(...pieces) });
    expect(world).toEqual({ told: ['here', 'here', 'here', 'here'], here: TEXTS });
  });

  test('one that is not there costs the others nothing', async () => {
    const heads = [3, 0, 'NOT_FOUND', 4];
    const world = await fetched({ heads, pieces: inPieces(Buffer.from('onefour')) });
    expect(world.told).toMatchObject(['here', 'here', /NOT_FOUND/, 'here'].map(matching));
    expect(world.here).toEqual(['one', '', 'four']);
  });

  test('one that is not there yet is no failure', async () => {
    const heads = [3, 0, 'NOT_YET', 4];
    const world = await fetched({ heads, pieces: inPieces(Buffer.from('onefour')) });
    expect(world.told).toEqual(['here', 'here', 'later', 'here']);
  });

  test('wrong bytes of one never get to their place, and cost the others nothing', async () => {
    const world = await fetched({ heads: sizes, pieces: inPieces(Buffer.from('onethrEEfour')) });
    expect(world.told).toMatchObject(['here', 'here', /got 5 bytes of/, 'here'].map(matching));
    expect(world.here).toEqual(['one', '', 'four']);
  });

  test('what came before the stream broke, stalled or went on too long is kept', async () => {
    const cases: readonly (readonly [SmallBlobs['pieces'], RegExp])[] = [
      [inPieces(Buffer.from('oneth'), 'cut'), /was cut/],
      [inPieces(Buffer.from('oneth')), /cut short/],
      [inPieces(Buffer.from('oneth'), 'hang'), /not a byte within/],
    ];
    for (const [pieces, why] of cases) {
      const world = await fetched({ heads: sizes, pieces });
      expect(world.told).toMatchObject(['here', 'here', why, why].map(matching));
      expect(world.here).toEqual(['one', '']);
    }
    const endless = inPieces(Buffer.from('onethreefour'), Buffer.alloc(600_000));
    expect((await fetched({ heads: sizes, pieces: endless })).here).toEqual(TEXTS);
  });

  test.each([
    ['another size', { heads: [3, 0, 4, 4], pieces: inPieces(Buffer.from('onefour')) }],
    ['too few', { heads: [3], pieces: inPieces(Buffer.from('one')) }],
    ['a refusal', new Error('another dom leads')],
    ['silence', 'silence'],
  ] as const)('%s brings nothing', async (_, answer) => {
    const world = await fetched(answer);
    expect(world.told).not.toContain('here');
    expect(world.here).toEqual([]);
  });

  test('a source that knows no such questions says so', async () => {
    expect(await fetched('unknown')).toEqual({ told: 'unknown', here: [] });
  });
});

describe('a release', () => {
  const files = Array.from({ length: 300 }, (_, index) => [`page-${index}`, `text ${index}`]);
  const site = release(Object.fromEntries(files));

  /** Fetched from a source that answers questions for several like this. */
  async function brought(answer: 'as asked' | 'unknown' | 'fails once') {
    const [clock, disk, over] = [virtualClock(), memoryDisk(), new AbortController()];
    const questions: number[] = [];
    const played = playedSource(site.blobs);
    const source = {
      ...played,
      fetchSmall: async (digests: readonly Digest[]): Promise<SmallBlobs | 'unknown'> => {
        questions.push(digests.length);
        if (answer === 'unknown') return answer;
        if (answer === 'fails once' && questions.length === 1) throw new Error('no way to dom');
        const found = digests.map((digest) => site.blobs.get(digest) ?? new Uint8Array());
        return { heads: found.map((each) => each.length), pieces: inPieces(...found) };
      },
    };
    const content = createContentReconciler({
      ...{ disk, clock, source, log: silentLog, onChange: () => undefined },
      random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) },
    });
    const running = content.run(over.signal);
    content.want(desired({ releases: [site.digest] }));
    for (let steps = 0; !content.state().verified.has(site.digest); steps += 1) {
      if (steps > 1000) throw new Error('it does not come');
      await clock.advance(100);
    }
    over.abort(new Error('the test is over'));
    await running;
    return { questions, alone: played.asked.length - 1 };
  }

  test('of small files takes few questions', async () => {
    expect(await brought('as asked')).toEqual({ questions: [128, 128, 44], alone: 0 });
  });

  test('is asked for file by file where dom is too old for more', async () => {
    const { questions, alone } = await brought('unknown');
    expect(questions.length).toBeLessThanOrEqual(3);
    expect(alone).toBe(300);
  });

  test('comes whole although a question fails: what was in it is asked for one by one', async () => {
    expect(await brought('fails once')).toEqual({ questions: [128, 128, 44], alone: 128 });
  });
});

function matching(text: string | RegExp): unknown {
  return typeof text === 'string' ? text : expect.stringMatching(text);
}
