import { expect, test } from 'vitest';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { Transaction, Write } from '../../../runtime/store/store.ts';
import type { CaRefusal, CaRequest } from '../check.ts';
import { Scene } from '../scene.fixture.ts';
import { refusalsCheck } from './refusals.ts';

const REQUEST: CaRequest = {
  ...{ directory: 'https://ca.test/directory', process: 'dom#1', step: 'createOrder' },
  ...{ key: 'createOrder a.test', account: 'https://ca.test/account/1', aheadMs: 0 },
};
const BUSY: CaRefusal = {
  ...{ type: 'rateLimited', detail: 'Service busy; retry later', status: 429 },
  retryAfterMs: 60_000,
};
const OVER: CaRefusal = { ...BUSY, detail: 'too many new orders (5) from this account' };
const ACCOUNT: Write = { kind: 'put', key: recordKey('acmeAccount', 'uid'), value: '{}' };

class World {
  readonly scene = new Scene();
  readonly reached: string[] = [];

  constructor(limitsAre: 'published' | 'unknown' = 'unknown') {
    const ports = { ...this.scene.ports, reached: (path: string) => void this.reached.push(path) };
    this.scene.watch(refusalsCheck({ ...ports, limitsAre: () => limitsAre }));
  }

  asks(change: Partial<CaRequest> = {}, refusal?: CaRefusal): void {
    const request = { ...REQUEST, ...change };
    this.scene.tell((check) => check.askedCa?.(request));
    if (refusal !== undefined) this.scene.tell((check) => check.refusedByCa?.(request, refusal));
  }

  failsToWrite(write: Write = ACCOUNT): void {
    const transaction: Transaction = { guards: [], writes: [write] };
    const call = { process: 'dom#1', request: { kind: 'commit', transaction } } as const;
    this.scene.stored({ kind: 'answered', call, answer: { kind: 'failed', error: 'away' } });
  }

  after(ms: number): this {
    this.scene.nowMs += ms;
    return this;
  }
}

test('who waits for as long as it was told is well', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.after(59_000).asks();
  expect(world.scene.violations).toEqual([]);
  world.asks({}, BUSY);
  world.after(60_000).asks();
  expect(world.reached).toEqual(['Retry-After of a 429 obeyed']);
});

test.each<{
  when: string;
  refused?: Partial<CaRequest>;
  asks?: Partial<CaRequest>;
  refusal?: Partial<CaRefusal>;
}>([
  { when: 'something else is asked for', asks: { key: 'createOrder b.test' } },
  {
    when: 'it is the directory, which each Issuer asks for',
    refused: { step: 'directory', key: 'directory' },
    asks: { step: 'directory', key: 'directory' },
  },
  { when: 'it is no 429', refusal: { status: 503 } },
  { when: 'the CA did not say when', refusal: { retryAfterMs: undefined } },
  { when: 'its clock was set meanwhile', asks: { aheadMs: 60_000 } },
  { when: 'the next process cannot know', asks: { process: 'dom#2' } },
])('asking at once is no violation when $when', ({ refused, asks, refusal }) => {
  const world = new World();
  world.asks(refused, { ...BUSY, ...refusal });
  world.after(1_000).asks(asks);
  expect(world.scene.violations).toEqual([]);
});

test('nor when the store failed to remember it', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.failsToWrite();
  world.asks();
  expect(world.scene.violations).toEqual([]);
});

test('nor when it could not know that the store remembers it', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.scene.commit([ACCOUNT]);
  world.failsToWrite();
  world.after(1_000).asks();
  expect(world.scene.violations).toEqual([]);
});

test('INV-30 when the next process does, whatever the one before could not know', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.scene.commit([ACCOUNT]);
  world.failsToWrite();
  world.after(1_000).asks({ process: 'dom#2' });
  expect(world.scene.numbers).toEqual([30]);
});

test('INV-30 when it asks the same again too soon', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.after(1_000).asks();
  expect(world.scene.numbers).toEqual([30]);
});

test('INV-30 when the next process does, though it was stored', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.scene.commit([ACCOUNT]);
  world.after(1_000).asks({ process: 'dom#2' });
  expect(world.scene.numbers).toEqual([30]);
});

test.each([
  { limitsAre: 'published', aheadMs: 0, retryAfterMs: 60_000, numbers: [30] },
  { limitsAre: 'published', aheadMs: 0, retryAfterMs: 5_000, numbers: [] },
  { limitsAre: 'published', aheadMs: 900, retryAfterMs: 60_000, numbers: [] },
  { limitsAre: 'unknown', aheadMs: 0, retryAfterMs: 60_000, numbers: [] },
] as const)('an order over a limit: $limitsAre, clock $aheadMs, $retryAfterMs', (given) => {
  const { limitsAre, aheadMs, retryAfterMs, numbers } = given;
  const world = new World(limitsAre);
  world.asks({ aheadMs }, { ...OVER, retryAfterMs });
  expect(world.scene.numbers).toEqual(numbers);
  expect(world.reached).toContain('order over a limit of the CA');
});

test('a note that the account has seen trouble says not when to come back', () => {
  const world = new World();
  world.asks({}, BUSY);
  world.scene.commit([ACCOUNT]);
  world.after(1_000).asks();
  expect(world.scene.violations).toHaveLength(1);

  const failing = new World();
  failing.asks({}, BUSY);
  failing.scene.commit([ACCOUNT]);
  failing.failsToWrite({ kind: 'put', key: recordKey('acmeOrder', 'uid'), value: '{}' });
  failing.after(1_000).asks();
  expect(failing.scene.violations).toEqual([]);
});
