import { describe, expect, test } from 'vitest';
import { seededRandom } from '../seeded.fixture.ts';
import { NumberMap } from './number-map.ts';

describe.each([
  { when: 'hashes spread', hash: (key: number) => Math.imul(key | 0, 0x9e3779b1) },
  { when: 'many keys have one hash', hash: (key: number) => key % 7 },
  { when: 'hashes are negative', hash: (key: number) => -1 - (key % 1000) },
])('as a Map does it, where $when', ({ hash }) => {
  test('keys that come, come again and are not there', () => {
    const random = seededRandom(11);
    const map = new NumberMap(hash);
    const right = new Map<number, number>();
    for (let count = 0; count < 5000; count += 1) {
      const key = Math.floor(random() * 3000) * (count % 3 === 0 ? 1 : 2 ** 37);
      expect(map.get(key)).toBe(right.get(key) ?? -1);
      const value = Math.floor(random() * 2 ** 32);
      map.set(key, value);
      right.set(key, value);
    }
    expect(right.size).toBeGreaterThan(2000);
    for (const [key, value] of right) expect(map.get(key)).toBe(value);
  });
});

test('the smallest and the greatest', () => {
  const map = new NumberMap((key) => key);
  for (const key of [0, 2 ** 53 - 1]) {
    expect(map.get(key)).toBe(-1);
    map.set(key, 0);
    expect(map.get(key)).toBe(0);
  }
});
