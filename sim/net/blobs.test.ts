import { expect, test } from 'vitest';
import { digestOf } from '../../runtime/content/digest.ts';
import { collect, NetPlay } from './net.fixture.ts';

const { signal } = new AbortController();
const blob = Buffer.from('0123456789'.repeat(100));
const digest = digestOf(blob);

test('a blob comes in pieces, from any offset', async () => {
  const { play, fetch } = start();
  const [whole, rest] = [fetch(0), fetch(990)];
  await play.run(1_000);
  expect(whole.length).toBeGreaterThan(1);
  expect(whole.slice(0, -1).join('')).toBe(blob.toString());
  expect(rest).toEqual(['0123456789', 'end']);
});

test('it comes from the dom that was dialled last', async () => {
  const play = new NetPlay({}, { doms: ['dom-1', 'dom-2'] });
  const [first, second] = [play.dom('dom-1', blob), play.dom('dom-2', blob)];
  const caller = play.sub('newyork');
  const fetch = () => collect(play.network.blobs(caller).fetch(digest, 0, signal));
  const dial = () => void play.network.dialer(caller).dial(signal);
  fetch();
  await play.run(1_000);
  expect([first.pieces, second.pieces]).toEqual([1, 0]);
  dial();
  fetch();
  await play.run(1_000);
  expect([first.pieces, second.pieces]).toEqual([2, 0]);
  dial();
  fetch();
  await play.run(1_000);
  expect([first.pieces, second.pieces]).toEqual([2, 1]);
  expect(play.calls.filter(({ service }) => service === 'blobs').length).toBe(3);
});

test('a damaged piece has one bit that is another', async () => {
  const { play, fetch } = start({ blobDamage: 1 });
  const got = fetch(0);
  await play.run(1_000);
  const bytes = Buffer.from(got.slice(0, -1).join(''));
  expect(bytes.equals(blob)).toBe(false);
  expect(play.faultsSeen()).toContain('a blob for newyork is damaged');
});

test('a piece that comes twice', async () => {
  const { play, fetch } = start({ blobRepeat: 1 });
  const got = fetch(0);
  await play.run(1_000);
  const pieces = got.slice(0, -1);
  expect(pieces.filter((_, index) => index % 2 === 0).join('')).toBe(blob.toString());
  expect(pieces.filter((_, index) => index % 2 === 1).join('')).toBe(blob.toString());
});

test.each([
  { when: 'it breaks', faults: { blobCut: 1 }, got: ['ask dom-1 for blobs: the stream broke'] },
  { when: 'it hangs', faults: { blobHang: 1 }, got: [] },
])('$when', async ({ faults, got }) => {
  const { play, fetch } = start(faults);
  const seen = fetch(0);
  await play.run(100_000);
  expect(seen).toEqual(got);
});

function start(faults: ConstructorParameters<typeof NetPlay>[0] = {}) {
  const play = new NetPlay(faults);
  play.dom('dom-1', blob);
  const source = play.network.blobs(play.sub('newyork'));
  const fetch = (offsetBytes: number) => collect(source.fetch(digest, offsetBytes, signal));
  return { play, fetch };
}
