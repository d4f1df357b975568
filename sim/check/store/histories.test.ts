import { expect, test } from 'vitest';
import {
  CompactedError,
  type Transaction,
  UncertainError,
  type Write,
} from '../../../runtime/store/store.ts';
import type { StoreAnswer, StoreCall, StoreRequest } from '../store-event.ts';
import { StoreHistory } from '../store-history.ts';
import { historiesCheck } from './histories.ts';

/** A store by hand: what is told of it need not be what happened. */
class Scene {
  readonly history = new StoreHistory();
  readonly violations: string[] = [];
  readonly #check = historiesCheck(
    {
      violated: (number, what) => void this.violations.push(`INV-${number}: ${what}`),
      reached: () => undefined,
    },
    this.history,
  );

  call(request: StoreRequest): StoreCall {
    const call = { process: 'dom#1', request };
    this.#check.stored?.({ kind: 'called', call });
    return call;
  }

  answer(call: StoreCall, answer: StoreAnswer): void {
    this.#check.stored?.({ kind: 'answered', call, answer });
  }

  commit(transaction: Transaction): StoreCall {
    return this.call({ kind: 'commit', transaction });
  }

  /** It takes effect, by puts of these values. */
  effect(transaction: Transaction, values: Readonly<Record<string, string>>): void {
    const revision = this.history.head + 1n;
    const changes = Object.entries(values).map(([key, value]) => {
      const createRevision = this.history.get(key, revision)?.createRevision ?? revision;
      return { kind: 'put', item: { key, value, createRevision, modRevision: revision } } as const;
    });
    this.history.add({ revision, changes });
    const before = new Map();
    this.#check.committed?.({ revision, transaction, before, process: 'dom#1' });
  }

  /** The same, asked for and told as it was. */
  put(key: string, value: string): void {
    const transaction = putting(key, value);
    const call = this.commit(transaction);
    this.effect(transaction, { [key]: value });
    this.answer(call, outcome('committed', this.history.head));
  }
}

test('what was so at some moment between a call and its answer may be shown', () => {
  const scene = new Scene();
  scene.put('/a', 'one');
  const item = { kind: 'item', item: scene.history.get('/a', 2n) } as const;
  const calls = [1, 2].map(() => scene.call({ kind: 'get', key: '/a' }));
  const list = scene.call({ kind: 'list', prefix: '/', options: {} });
  scene.put('/a', 'two');
  const [early, late] = calls;
  if (early !== undefined) scene.answer(early, item);
  if (late !== undefined) scene.answer(late, { kind: 'item', item: scene.history.get('/a', 3n) });
  const page = { items: scene.history.list('/', 2n), revision: 2n, more: false };
  scene.answer(list, { kind: 'page', page });
  expect(scene.violations).toEqual([]);
});

test('a read is guilty when it shows the past', () => {
  const scene = new Scene();
  scene.put('/a', 'one');
  const item = scene.history.get('/a', 2n);
  const page = { items: scene.history.list('/', 2n), revision: 2n, more: false };
  scene.put('/a', 'two');
  scene.answer(scene.call({ kind: 'get', key: '/a' }), { kind: 'item', item });
  const list = { kind: 'list', prefix: '/', options: {} } as const;
  scene.answer(scene.call(list), { kind: 'page', page });
  scene.answer(scene.call({ kind: 'get', key: '/a' }), { kind: 'item', item: undefined });
  expect(scene.violations).toEqual([
    expect.stringMatching(/^INV-9: .* gets \/a: .* at no moment from 3 to 3/),
    expect.stringMatching(/^INV-9: .* lists \/: it shows 2, not one from 3 to 3/),
    expect.stringMatching(/^INV-9: .* gets \/a: /),
  ]);
});

test.each([
  { when: 'an item is missing', items: 1, more: false, what: /1 items of 2, and no more/ },
  { when: 'there is no more', items: 2, more: true, what: /2 items of 2, and more/ },
  { when: 'there is more, but nothing comes', items: 0, more: true, what: /0 items of 2/ },
])('a page is guilty when $when', ({ items, more, what }) => {
  const scene = new Scene();
  scene.put('/a', 'one');
  scene.put('/b', 'one');
  const call = scene.call({ kind: 'list', prefix: '/', options: {} });
  const page = { items: scene.history.list('/', 3n).slice(0, items), revision: 3n, more };
  scene.answer(call, { kind: 'page', page });
  expect(scene.violations).toEqual([expect.stringMatching(what)]);
});

test('a read of what was compacted is guilty when it succeeds, one of the present when it fails', () => {
  const scene = new Scene();
  scene.put('/a', 'one');
  scene.put('/a', 'two');
  const list = (revision: bigint): StoreCall =>
    scene.call({ kind: 'list', prefix: '/', options: { revision } });
  const failed = { kind: 'failed', error: new CompactedError('gone') } as const;
  scene.answer(list(2n), failed);
  scene.history.learn({ kind: 'compacted', revision: 3n });
  scene.answer(list(2n), failed);
  const page = { items: scene.history.list('/', 2n), revision: 2n, more: false };
  scene.answer(list(2n), { kind: 'page', page });
  expect(scene.violations).toEqual([
    expect.stringMatching(/nothing it needs is compacted/),
    expect.stringMatching(/it shows 2, though 3 was compacted/),
  ]);
});

test('a commit of unknown outcome may happen, or happen later, or not at all', () => {
  const scene = new Scene();
  for (const fate of ['before', 'after', 'never'] as const) {
    const transaction = putting('/a', fate);
    const call = scene.commit(transaction);
    if (fate === 'before') scene.effect(transaction, { '/a': fate });
    scene.answer(call, { kind: 'failed', error: new UncertainError('lost') });
    if (fate === 'after') scene.effect(transaction, { '/a': fate });
  }
  expect(scene.violations).toEqual([]);
});

test.each<{ when: string; what: RegExp; play: (scene: Scene, transaction: Transaction) => void }>([
  {
    when: 'it is said to have failed, but took effect',
    what: /it failed, but took effect/,
    play: (scene, transaction) => {
      const call = scene.commit(transaction);
      scene.effect(transaction, { '/a': 'new' });
      scene.answer(call, { kind: 'failed', error: new Error('no') });
    },
  },
  {
    when: 'it takes effect after it failed',
    what: /its sender was told that it had failed/,
    play: (scene, transaction) => {
      scene.answer(scene.commit(transaction), { kind: 'failed', error: new Error('no') });
      scene.effect(transaction, { '/a': 'new' });
    },
  },
  {
    when: 'it takes effect twice',
    what: /it took effect at 3 already/,
    play: (scene, transaction) => {
      scene.commit(transaction);
      scene.effect(transaction, { '/a': 'new' });
      scene.effect(transaction, { '/a': 'new' });
    },
  },
  {
    when: 'it is said to be committed, and is not',
    what: /it is said to be revision 3, which it is not/,
    play: (scene, transaction) => scene.answer(scene.commit(transaction), outcome('committed', 3n)),
  },
  {
    when: 'it is said to be in conflict, and took effect',
    what: /it is said to be in conflict, but took effect/,
    play: (scene, transaction) => {
      const call = scene.commit(transaction);
      scene.effect(transaction, { '/a': 'new' });
      scene.answer(call, outcome('conflict', 3n));
    },
  },
  {
    when: 'it conflicts though all its guards hold',
    what: /all its guards hold at 2/,
    play: (scene, { writes }) => {
      const guards = [{ key: '/a', modRevision: 2n }];
      scene.answer(scene.commit({ guards, writes }), outcome('conflict', 2n));
    },
  },
  {
    when: 'it takes effect though a guard fails',
    what: /\/a is not of revision 7/,
    play: (scene, { writes }) => {
      const transaction = { guards: [{ key: '/a', modRevision: 7n }], writes };
      scene.commit(transaction);
      scene.effect(transaction, { '/a': 'new' });
    },
  },
  {
    when: 'it does something else than it says',
    what: /it did something else than it says/,
    play: (scene, transaction) => {
      scene.commit(transaction);
      scene.effect(transaction, { '/a': 'new', '/b': 'new' });
    },
  },
])('a commit is guilty when $when', ({ what, play }) => {
  const scene = new Scene();
  scene.put('/a', 'old');
  play(scene, putting('/a', 'new'));
  expect(scene.violations[0]).toMatch(/^INV-9: /);
  expect(scene.violations[0]).toMatch(what);
});

test('two commits upon one revision must not both succeed (INV-13)', () => {
  const scene = new Scene();
  scene.put('/a', 'old');
  const guards = [{ key: '/a', modRevision: 2n }];
  for (const value of ['one', 'two']) {
    const transaction = { guards, writes: putting('/a', value).writes };
    scene.commit(transaction);
    scene.effect(transaction, { '/a': value });
  }
  expect(scene.violations).toContainEqual(
    expect.stringMatching(/^INV-13: commits 3 and 4 both succeed upon \/a@2/),
  );
});

function putting(key: string, value: string): Transaction {
  const writes: readonly Write[] = [{ kind: 'put', key, value }];
  return { guards: [], writes };
}

function outcome(kind: 'committed' | 'conflict', revision: bigint): StoreAnswer {
  return { kind: 'outcome', outcome: { outcome: kind, revision } };
}
