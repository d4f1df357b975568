import { describe, expect, test } from 'vitest';
import { outcomeOf, testWays } from './net.fixture.ts';
import { apart } from './reachability.ts';

const ATLANTIC = { from: 'london', to: 'newyork' };
const WORLD = { from: 'london', to: 'sydney' };

describe('how long it takes', () => {
  test.each([
    // Great circles of 5,570 and 16,990 km, half as long again, at 200 km a millisecond.
    { when: 'over the Atlantic', route: ATLANTIC, ms: 42 },
    { when: 'around the world', route: WORLD, ms: 128 },
    { when: 'in one town', route: { from: 'london', to: 'dom-1' }, ms: 1 },
  ])('$when', ({ route, ms }) => {
    const { ways } = testWays();
    expect(ways.delayMs(route)).toBe(ms);
    expect(ways.delayMs({ from: route.to, to: route.from })).toBe(ms);
    expect(ways.delayMs(route, { crossings: 4 })).toBeLessThanOrEqual(4 * ms);
  });

  test('hosts of which nobody said where they are have a place all the same, always the same', () => {
    const placeOf = () => undefined;
    const [one, other] = [testWays({}, { placeOf }), testWays({}, { placeOf })];
    expect(one.ways.delayMs(ATLANTIC)).toBe(other.ways.delayMs(ATLANTIC));
    expect(one.ways.delayMs(ATLANTIC)).toBeGreaterThan(1);
  });

  test('chance adds a long tail: mostly little, seldom very much', () => {
    const { ways } = testWays({ jitterMs: 10 });
    const extra = Array.from({ length: 20_000 }, () => ways.delayMs(ATLANTIC) - 42);
    const sorted = extra.toSorted((a, b) => a - b);
    expect(sorted[10_000]).toBeLessThan(6);
    expect(sorted[19_800]).toBeGreaterThan(80);
    expect(sorted[19_998]).toBeGreaterThan(500);
    expect(Math.min(...sorted)).toBeGreaterThanOrEqual(0);
  });

  test('some ways are worse than others, and the same ones each time', () => {
    const { ways } = testWays({ slownessMax: 8 });
    const hosts = Array.from({ length: 30 }, (_, index) => `host-${index}`);
    const { ways: good } = testWays();
    const factors = hosts.map((to) => {
      const route = { from: 'london', to };
      return ways.delayMs(route, { crossings: 20 }) / good.delayMs(route, { crossings: 20 });
    });
    expect(Math.max(...factors)).toBeGreaterThan(5);
    expect(Math.min(...factors)).toBeLessThan(2);
  });

  test('a narrow way takes its time for each byte, and for those in front of it', () => {
    const hosts = Array.from({ length: 30 }, (_, index) => `host-${index}`);
    const { ways } = testWays({ slowBytesPerS: 1_000 });
    const { ways: wide } = testWays();
    const narrow = hosts.filter((to) => {
      const route = { from: 'london', to };
      return ways.delayMs(route, { bytes: 2_000 }) >= wide.delayMs(route) + 1_999;
    });
    expect(narrow.length).toBeGreaterThan(5);
    expect(narrow.length).toBeLessThan(25);
    const route = { from: 'london', to: narrow[0] ?? '' };
    expect(ways.delayMs(route, { bytes: 500 })).toBeGreaterThanOrEqual(2_500);
    // No buffer is without an end.
    for (let count = 0; count < 100; count += 1) ways.delayMs(route, { bytes: 2_000 });
    expect(ways.delayMs(route)).toBeLessThan(11_000);
  });
});

describe('what passes', () => {
  test('one way: the other goes on', () => {
    const { ways } = testWays();
    const heal = ways.reachability.cut({ from: ['london'], to: 'all' });
    expect(ways.passes(ATLANTIC)).toBe(false);
    expect(ways.passes({ from: 'newyork', to: 'london' })).toBe(true);
    expect(ways.connects({ from: 'newyork', to: 'london' })).toBe(false);
    expect(ways.connects({ from: 'newyork', to: 'sydney' })).toBe(true);
    heal();
    expect(ways.connects(ATLANTIC)).toBe(true);
  });

  test('groups: each side goes on among itself; cuts overlap, and heal by themselves', () => {
    const { ways } = testWays();
    const [one, other] = apart(['london', 'dom-1'], ['newyork', 'sydney']).map((cut) =>
      ways.reachability.cut(cut),
    );
    const [again] = apart(['london'], ['newyork']).map((cut) => ways.reachability.cut(cut));
    expect(ways.connects({ from: 'london', to: 'dom-1' })).toBe(true);
    expect(ways.connects({ from: 'newyork', to: 'sydney' })).toBe(true);
    expect(ways.connects(WORLD)).toBe(false);
    one?.();
    other?.();
    expect(ways.connects(WORLD)).toBe(true);
    expect(ways.passes(ATLANTIC)).toBe(false);
    again?.();
    expect(ways.passes(ATLANTIC)).toBe(true);
  });
});

describe('a try to reach a process', () => {
  test.each([
    { when: 'it listens', listens: true, dialHang: 0, says: ['connected'] },
    { when: 'the dial hangs', listens: true, dialHang: 1, says: ['silent'] },
    { when: 'nobody listens', listens: false, dialHang: 0, says: ['refused', 'silent'] },
  ])('$when', async ({ listens, dialHang, says }) => {
    const { ways, scheduler } = testWays({ dialHang });
    const contacts = Array.from({ length: 20 }, () =>
      outcomeOf(ways.contact(ATLANTIC, () => listens)),
    );
    await scheduler.run(1_000);
    const said = new Set(contacts.map(({ value }) => value));
    expect(said).toEqual(new Set(says));
  });

  test('the host refuses, or nothing can come back', async () => {
    const { ways, scheduler } = testWays();
    const end = ways.reachability.refuse('newyork');
    const refused = outcomeOf(ways.contact(ATLANTIC, () => true));
    await scheduler.run(1_000);
    end();
    ways.reachability.cut({ from: ['newyork'], to: ['london'] });
    const silent = outcomeOf(ways.contact(ATLANTIC, () => true));
    await scheduler.run(2_000);
    expect([refused.value, silent.value]).toEqual(['refused', 'silent']);
  });
});
