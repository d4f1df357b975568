import { expect, test } from 'vitest';
import { digestOf } from '../../../runtime/content/digest.ts';
import { Popularity } from './popularity.ts';

const blob = (index: number) => digestOf(Buffer.from(`blob ${index}`));
const NEVER = Number.POSITIVE_INFINITY;

test('each blob is said to be asked for as often as it was, or a little more', () => {
  const popularity = new Popularity();
  const blobs = Array.from({ length: 5000 }, (_, index) => blob(index));
  for (const [index, each] of blobs.entries())
    for (let times = 0; times < index % 7; times += 1) popularity.note(each, NEVER);
  let tooMuch = 0;
  for (const [index, each] of blobs.entries()) {
    const said = popularity.of(each);
    expect(said).toBeGreaterThanOrEqual(index % 7);
    if (said > index % 7) tooMuch += 1;
  }
  expect(tooMuch).toBeLessThan(blobs.length / 20);
});

test('counts end somewhere, and are halved after so many requests', () => {
  const popularity = new Popularity();
  for (let times = 0; times < 1000; times += 1) popularity.note(blob(1), NEVER);
  expect(popularity.of(blob(1))).toBe(15);
  popularity.note(blob(2), 1001);
  expect([popularity.of(blob(1)), popularity.of(blob(2))]).toEqual([7, 0]);
});
