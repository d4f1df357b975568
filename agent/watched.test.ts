import { expect, test } from 'vitest';
import { virtualClock } from '../runtime/test-clock.ts';
import { watched } from './watched.ts';

const piece = Buffer.from('piece');
const never = new Promise<never>(() => undefined);

function play(pieces: AsyncIterable<Uint8Array>) {
  const clock = virtualClock();
  const stop = new AbortController();
  const options = { clock, ms: 1000, signal: stop.signal, late: 'fetch: not a byte' };
  const got: string[] = [];
  const read = async (): Promise<void> => {
    for await (const each of watched(pieces, options)) {
      got.push(Buffer.from(each).toString());
      // Whoever takes it takes longer than the source may.
      await clock.sleep(5000);
    }
    got.push('end');
  };
  read().catch((error: unknown) => got.push(String(error)));
  return { clock, stop, got };
}

test('all pieces come, however long each of them is looked at', async () => {
  const { clock, got } = play(
    (async function* () {
      yield piece;
      yield piece;
    })(),
  );
  await clock.advance(20_000);
  expect(got).toEqual(['piece', 'piece', 'end']);
});

test('a source that stalls is given up, and told so', async () => {
  let phase = 'reading';
  async function* stalls() {
    try {
      yield piece;
      yield await never;
    } finally {
      phase = 'told';
    }
  }
  const { clock, got } = play(stalls());
  await clock.advance(5000);
  await clock.advance(999);
  expect(got).toEqual(['piece']);
  await clock.advance(1);
  expect(got).toEqual(['piece', 'Error: fetch: not a byte within 1000 ms']);
  // A generator hears of it only when what it waits for is over.
  expect(phase).toBe('reading');
});

test('who is not interested any more is not kept waiting', async () => {
  const { clock, stop, got } = play(
    (async function* () {
      yield await never;
    })(),
  );
  await clock.advance(10);
  stop.abort(new Error('it is not wanted'));
  await clock.advance(0);
  expect(got).toEqual(['Error: it is not wanted']);
});

test('what the source throws is thrown', async () => {
  const { clock, got } = play(
    (async function* () {
      yield piece;
      throw new Error('the stream broke');
    })(),
  );
  await clock.advance(10_000);
  expect(got).toEqual(['piece', 'Error: the stream broke']);
});
