import { expect, test } from 'vitest';
import { type DecisionKey, GeoDecisions } from './geo-decisions.ts';

/** The nth of many networks, spread over all addresses. */
function client(index: number, host = 0): DecisionKey {
  const address = { w0: ((index * 0x9e3779b1) & ~0xff) >>> 0, w1: 0, w2: 0, w3: 0, bits: 32 };
  return { group: index % 3, address: { ...address, w0: address.w0 | host }, knownBits: 32 };
}

test.each([100, 1_000, 30_000])(
  'of %i decisions nearly all are kept as the table grows',
  (count) => {
    const decisions = new GeoDecisions();
    for (let index = 0; index < count; index += 1) {
      const choice = { key: String(index) };
      decisions.keep(client(index), { choice, scopeBits: 24 });
      expect(decisions.find(client(index, 7))).toEqual({ choice, scopeBits: 24 });
    }
    const found = Array.from({ length: count }, (_, index) => decisions.find(client(index, 9)));
    for (const [index, decision] of found.entries())
      expect([undefined, String(index)]).toContain(decision?.choice.key);
    expect(found.filter((each) => each !== undefined).length).toBeGreaterThan(0.93 * count);
  },
);

test.each([1_000, 5_000, 10_000])(
  '%i clients who ask again and again are remembered, all but few',
  (count) => {
    const decisions = new GeoDecisions();
    const ask = (index: number): 'known' | 'new' => {
      if (decisions.find(client(index)) !== undefined) return 'known';
      decisions.keep(client(index), { choice: { key: String(index) }, scopeBits: 24 });
      return 'new';
    };
    const askAll = (): number =>
      Array.from({ length: count }, (_, index) => ask(index)).filter((each) => each === 'new')
        .length;
    expect(askAll()).toBe(count);
    expect(askAll()).toBeLessThan(0.01 * count);
  },
);

test('the newest is kept, however many there are', () => {
  const decisions = new GeoDecisions();
  for (let index = 0; index < 300_000; index += 1)
    decisions.keep(client(index), { choice: { key: String(index) }, scopeBits: 24 });
  expect(decisions.find(client(299_999))?.choice.key).toBe('299999');
  expect(decisions.find(client(300_000))).toBeUndefined();
});
