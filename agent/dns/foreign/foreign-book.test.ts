import { expect, test } from 'vitest';
import { type FakeResolver, fakeResolver } from '../../../runtime/dns/fake-resolver.ts';
import { silentLog } from '../../../runtime/log.ts';
import { type VirtualClock, virtualClock } from '../../../runtime/test-clock.ts';
import { formatAddress } from '../geo/address.ts';
import { type NameKey, parseName } from '../message/name.ts';
import {
  createForeignBook,
  type ForeignBook,
  HOLD_S,
  LOOK_UPS_MAX,
  NAMES_MAX,
  STALE_TTL_S,
} from './foreign-book.ts';

const name = (text: string): NameKey => parseName(text) ?? ('' as NameKey);
const names = (...texts: string[]): ReadonlySet<NameKey> => new Set(texts.map(name));

interface Scene {
  readonly book: ForeignBook;
  readonly resolver: FakeResolver;
  readonly clock: VirtualClock;
  /** `address,… ttl age` of the A look-up, or undefined. */
  known(text?: string): string | undefined;
  asked(): number;
}

async function scene(body: (given: Scene) => Promise<void>, draw = 0.5): Promise<void> {
  const clock = virtualClock();
  const resolver = fakeResolver();
  const random = { next: () => draw, bytes: (count: number) => new Uint8Array(count) };
  const book = createForeignBook({ resolver, clock, random, log: silentLog });
  const stop = new AbortController();
  const running = book.run(stop.signal);
  await body({
    ...{ book, resolver, clock },
    known: (text = 'cdn.test') => {
      const found = book.lookUp(name(text), 'A');
      return found && `${found.addresses.map(formatAddress)} ${found.ttlS} ${found.age}`;
    },
    asked: () => resolver.asked.filter((each) => each === 'cdn.test A').length,
  });
  stop.abort();
  await running;
}

test('unknown until it is known, then kept fresh before its time is over', () =>
  scene(async ({ book, resolver, clock, known, asked }) => {
    resolver.set('cdn.test', 'A', { addresses: ['192.0.2.9', '192.0.2.1'], ttlS: 100 });
    book.want(names('cdn.test'));
    expect(known()).toBeUndefined();
    await clock.advance(0);
    expect(known()).toBe('192.0.2.1,192.0.2.9 100 fresh');
    await clock.advance(79_000);
    expect(known()).toBe('192.0.2.1,192.0.2.9 21 fresh');
    resolver.set('cdn.test', 'A', { addresses: ['192.0.2.2'], ttlS: 100 });
    await clock.advance(1_500);
    expect([known(), asked()]).toEqual(['192.0.2.2 100 fresh', 2]);
  }));

test.each([
  { when: 'shorter than the bound', ttlS: 1, answered: 1, asked: 5 },
  { when: 'none at all', ttlS: 0, answered: 1, asked: 5 },
  { when: 'longer than the bound', ttlS: 86_400, answered: HOLD_S.max, asked: 1 },
])('a TTL $when', ({ ttlS, answered, asked: times }) =>
  scene(async ({ book, resolver, clock, known, asked }) => {
    resolver.set('cdn.test', 'A', { addresses: ['192.0.2.1'], ttlS });
    book.want(names('cdn.test'));
    await clock.advance(0);
    expect(known()).toBe(`192.0.2.1 ${answered} fresh`);
    // Every 24 s: four fifths of the least that an answer is held.
    await clock.advance(100_000);
    expect(asked()).toBe(times);
  }),
);

test('the last answer is kept while nobody can be asked, and says that it is stale', () =>
  scene(async ({ book, resolver, clock, known, asked }) => {
    resolver.set('cdn.test', 'A', { addresses: ['192.0.2.1'], ttlS: 100 });
    book.want(names('cdn.test'));
    await clock.advance(0);
    resolver.set('cdn.test', 'A', 'fails');
    await clock.advance(100_000);
    expect(known()).toBe(`192.0.2.1 ${STALE_TTL_S} stale`);
    await clock.advance(6 * 3_600_000);
    expect(known()).toBe(`192.0.2.1 ${STALE_TTL_S} stale`);
    // At most every half minute to a minute.
    expect(asked()).toBeLessThan(6 * 120);
    resolver.set('cdn.test', 'A', { addresses: ['192.0.2.7'], ttlS: 100 });
    await clock.advance(60_000);
    expect(known()).toMatch(/^192\.0\.2\.7 \d+ fresh$/);
  }));

test('a name without addresses is known to have none', () =>
  scene(async ({ book, clock, known }) => {
    book.want(names('cdn.test'));
    await clock.advance(0);
    expect(known()).toBe(' 60 fresh');
  }));

test('what is no address of the family is left out', () =>
  scene(async ({ book, resolver, clock, known }) => {
    const addresses = ['192.0.2.1', '::1', 'localhost'];
    resolver.set('cdn.test', 'A', { addresses, ttlS: 300 });
    book.want(names('cdn.test'));
    await clock.advance(0);
    expect(known()).toBe('192.0.2.1 300 fresh');
  }));

test('a name that is not wanted any more is forgotten, another one is not asked for again', () =>
  scene(async ({ book, resolver, clock, known, asked }) => {
    for (const each of ['cdn.test', 'other.test'])
      resolver.set(each, 'A', { addresses: ['192.0.2.1'], ttlS: 300 });
    book.want(names('cdn.test'));
    await clock.advance(0);
    book.want(names('cdn.test', 'other.test'));
    await clock.advance(200);
    expect([known('other.test'), asked()]).toEqual(['192.0.2.1 300 fresh', 1]);
    book.want(names('other.test'));
    expect(known()).toBeUndefined();
  }));

test.each([
  { when: 'all are known at once', answers: ['ok', 'ok'], warmMs: 0 },
  { when: 'one fails: it has been asked for', answers: ['ok', 'fails'], warmMs: 0 },
  { when: 'one hangs: not for long', answers: ['ok', 'hangs'], warmMs: 2000 },
] as const)('warm: $when', ({ answers, warmMs }) =>
  scene(async ({ book, resolver, clock }) => {
    for (const [index, answer] of answers.entries()) {
      const known = answer === 'ok' ? { addresses: ['192.0.2.1'], ttlS: 60 } : answer;
      resolver.set(`n${index}.test`, 'A', known);
    }
    book.want(names(...answers.map((_, index) => `n${index}.test`)));
    let phase = 'waiting';
    const warming = book.warm(2000).then(() => {
      phase = `warm after ${clock.monotonicMs()}`;
      return phase;
    });
    await clock.advance(warmMs);
    expect(phase).toBe(`warm after ${warmMs}`);
    await warming;
  }),
);

test('nothing is waited for where nothing is wanted', () =>
  scene(async ({ book }) => {
    await book.warm(2000);
  }));

test('so many names are asked for at a time, and those that hang keep no others waiting for ever', () =>
  scene(async ({ book, resolver, clock }) => {
    const all = Array.from({ length: 100 }, (_, index) => `n${index}.test`);
    for (const each of all)
      for (const family of ['A', 'AAAA'] as const) resolver.set(each, family, 'hangs');
    book.want(names(...all));
    await clock.advance(60_000);
    // The port bounds its waits; this fake one does not.
    expect(resolver.asked.length).toBe(LOOK_UPS_MAX);
  }));

test('names beyond the bound are left out', () =>
  scene(async ({ book, resolver, clock }) => {
    const all = Array.from({ length: NAMES_MAX + 5 }, (_, index) => `n${index}.test`);
    book.want(names(...all));
    const isThrough = (): boolean => resolver.asked.length >= 2 * NAMES_MAX;
    for (let turns = 0; turns < 2000 && !isThrough(); turns += 1) await clock.advance(1);
    await clock.advance(1000);
    expect([resolver.asked.length, new Set(resolver.asked).size]).toEqual(
      Array(2).fill(2 * NAMES_MAX),
    );
  }));

test.each([
  { draw: 0, seconds: 70 },
  { draw: 0.999, seconds: 90 },
])('refreshes are spread: a draw of $draw asks again after $seconds s', ({ draw, seconds }) =>
  scene(async ({ book, resolver, clock, asked }) => {
    resolver.set('cdn.test', 'A', { addresses: ['192.0.2.1'], ttlS: 100 });
    book.want(names('cdn.test'));
    await clock.advance(1000 * seconds - 500);
    expect(asked()).toBe(1);
    await clock.advance(1000);
    expect(asked()).toBe(2);
  }, draw),
);
