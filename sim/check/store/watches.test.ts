import { expect, test } from 'vitest';
import type { Change, WatchEvent } from '../../../runtime/store/store.ts';
import type { OpenWatch, StoreEvent } from '../store-event.ts';
import { StoreHistory } from '../store-history.ts';
import { type WatchProperty, watchesCheck } from './watches.ts';

/** Revisions 2 to 6; what is under /a/ changes at 2, 4, 5 and 6, what is elsewhere at 3 and 4. */
const TRUTH: readonly (readonly Change[])[] = [
  [put('/a/x', 'one', 2n)],
  [put('/b/y', 'one', 3n)],
  [put('/a/w', 'two', 4n), put('/a/x', 'two', 4n, 2n), put('/b/y', 'two', 4n, 3n)],
  [{ kind: 'delete', key: '/a/x', modRevision: 5n }],
  [put('/a/x', 'three', 6n)],
];

const [AT_2, , AT_4, AT_5, AT_6] = TRUTH.map((changes, index) =>
  changed(
    BigInt(index) + 2n,
    changes.filter((change) => keyOf(change).startsWith('/a/')),
  ),
);
const ALL = [AT_2, AT_4, AT_5, AT_6].flatMap((event) => event ?? []);

test('a watch that tells the truth is innocent, whatever progress comes in between', () => {
  expect(violations(1n, ALL)).toEqual([]);
  expect(violations(1n, [progress(1n), ...ALL.slice(0, 1), progress(3n), ...ALL.slice(1)])).toEqual(
    [],
  );
  expect(violations(4n, [...ALL.slice(2), progress(6n), progress(6n)])).toEqual([]);
  expect(violations(6n, [])).toEqual([]);
});

test('one that lags, or is not wanted any more, is innocent until the world is at rest', () => {
  expect(violations(1n, ALL.slice(0, 1))).toEqual([]);
  expect(violations(1n, ALL.slice(0, 1), { at: 'rest' })).toEqual([
    expect.stringMatching(/^INV-10: .* keeps silent about revision 4/),
  ]);
  expect(violations(1n, ALL.slice(0, 1), { at: 'rest', signal: AbortSignal.abort() })).toEqual([]);
  expect(violations(1n, ALL.slice(0, 1), { at: 'rest', compacted: 4n })).toEqual([
    expect.stringMatching(/^INV-11: .* keeps silent about revision 4/),
  ]);
});

test('one that expires is innocent if its process lists again', () => {
  const expired: WatchEvent = { kind: 'expired', compactRevision: 4n };
  const options = { at: 'rest', compacted: 4n } as const;
  expect(violations(2n, [expired], options)).toEqual([
    expect.stringMatching(/^INV-11: .* nothing was listed again/),
  ]);
  expect(violations(2n, [expired], { ...options, relist: 'begins' })).toEqual([]);
  expect(violations(2n, [expired], { ...options, signal: AbortSignal.abort() })).toEqual([]);
});

test('one that begins after what its process has seen is guilty at once', () => {
  expect(violations(4n, [], { seen: 3n })).toEqual([
    expect.stringMatching(/^INV-10: .* begins there, though it has seen nothing after 3/),
  ]);
});

interface Guilty {
  readonly when: string;
  readonly property: WatchProperty;
  readonly afterRevision?: bigint;
  readonly compacted?: bigint;
  readonly events: readonly (WatchEvent | undefined)[];
}

const CUT_4 = changed(4n, [put('/a/x', 'two', 4n, 2n)]);
const TURNED_4 = changed(4n, [put('/a/x', 'two', 4n, 2n), put('/a/w', 'two', 4n)]);
const FOREIGN_4 = changed(4n, TRUTH[2] ?? []);

test.each<Guilty>([
  { when: 'an older revision follows', property: 'ordered', events: [AT_2, AT_4, AT_5, AT_4] },
  { when: 'progress goes back', property: 'ordered', events: [AT_2, AT_4, progress(3n)] },
  { when: 'a revision comes twice', property: 'unique', events: [AT_2, AT_4, AT_4] },
  { when: 'a part of a revision is missing', property: 'atomic', events: [AT_2, CUT_4] },
  { when: 'a revision is not sorted', property: 'atomic', events: [AT_2, TURNED_4] },
  { when: 'a revision is left out', property: 'reliable', events: [AT_2, AT_5] },
  { when: 'progress skips a revision', property: 'reliable', events: [AT_2, progress(4n)] },
  { when: 'it begins too early', property: 'resumable', afterRevision: 4n, events: [AT_4] },
  { when: 'it begins too late', property: 'resumable', afterRevision: 2n, events: [AT_5] },
  {
    when: 'it begins with progress too late',
    property: 'resumable',
    afterRevision: 2n,
    events: [progress(6n)],
  },
  {
    when: 'a change comes after its progress',
    property: 'bookmarkable',
    afterRevision: 2n,
    events: [progress(3n), changed(3n, [put('/a/x', 'two', 3n, 2n)])],
  },
  { when: 'progress is of tomorrow', property: 'bookmarkable', events: [...ALL, progress(7n)] },
  { when: 'keys of others come', property: 'filtered', events: [AT_2, FOREIGN_4] },
  {
    when: 'a value is another',
    property: 'faithful',
    events: [changed(2n, [put('/a/x', 'One', 2n)])],
  },
  {
    when: 'a key is said to be older than it is',
    property: 'faithful',
    events: [...ALL.slice(0, 3), changed(6n, [put('/a/x', 'three', 6n, 2n)])],
  },
  {
    when: 'a delete is said to be a put',
    property: 'faithful',
    events: [AT_2, AT_4, changed(5n, [put('/a/x', 'two', 5n, 2n)])],
  },
  {
    when: 'what did not change is said to have changed',
    property: 'faithful',
    events: [changed(2n, [put('/a/v', 'one', 2n), put('/a/x', 'one', 2n)])],
  },
  {
    when: 'a revision is invented',
    property: 'faithful',
    afterRevision: 6n,
    events: [changed(7n, [put('/a/x', 'four', 7n, 6n)])],
  },
  {
    when: 'it expires though nothing was compacted',
    property: 'ended',
    events: [{ kind: 'expired', compactRevision: 4n }],
  },
  {
    when: 'it expires though it needs nothing of what was compacted',
    property: 'ended',
    compacted: 4n,
    afterRevision: 4n,
    events: [{ kind: 'expired', compactRevision: 4n }],
  },
  {
    when: 'something follows after it expired',
    property: 'ended',
    compacted: 4n,
    events: [{ kind: 'expired', compactRevision: 4n }, AT_5],
  },
])('not $property: $when', ({ property, events, afterRevision = 1n, compacted = 1n }) => {
  const delivered = events.flatMap((event) => event ?? []);
  const number = property === 'ended' ? 11 : 10;
  const [first] = violations(afterRevision, delivered, { compacted });
  expect(first).toMatch(new RegExp(`^INV-${number}: .* is not ${property}: `));
});

function violations(
  afterRevision: bigint,
  events: readonly WatchEvent[],
  {
    at = 'work',
    compacted = 1n,
    seen = afterRevision,
    signal = new AbortController().signal,
    relist = 'is left out',
  }: {
    readonly at?: 'work' | 'rest';
    readonly compacted?: bigint;
    /** What the process has listed before. */
    readonly seen?: bigint;
    readonly signal?: AbortSignal;
    readonly relist?: 'begins' | 'is left out';
  } = {},
): readonly string[] {
  const found: string[] = [];
  const violated = (number: number, what: string): void =>
    void found.push(`INV-${number}: ${what}`);
  const history = new StoreHistory();
  const check = watchesCheck({ violated, reached: () => undefined }, history);
  TRUTH.forEach((changes, index) => history.add({ revision: BigInt(index) + 2n, changes }));
  history.learn({ kind: 'compacted', revision: compacted });
  const watch: OpenWatch = { process: 'dom#1', prefix: '/a/', afterRevision, signal };
  const tell = (event: StoreEvent): void => check.stored?.(event);
  listed(tell, seen);
  tell({ kind: 'watching', watch });
  for (const event of events) tell({ kind: 'delivered', watch, event });
  if (relist === 'begins') {
    const request = { kind: 'list', prefix: '/a/', options: {} } as const;
    tell({ kind: 'called', call: { process: 'dom#1', request } });
  }
  const isOver = events.at(-1)?.kind === 'expired';
  if (isOver) tell({ kind: 'unwatched', watch });
  if (at === 'rest') void check.rested?.();
  return found;
}

function listed(tell: (event: StoreEvent) => void, revision: bigint): void {
  const request = { kind: 'list', prefix: '/a/', options: {} } as const;
  const page = { items: [], revision, more: false };
  tell({ kind: 'answered', call: { process: 'dom#1', request }, answer: { kind: 'page', page } });
}

function put(key: string, value: string, modRevision: bigint, createRevision?: bigint): Change {
  return {
    kind: 'put',
    item: { key, value, createRevision: createRevision ?? modRevision, modRevision },
  };
}

function keyOf(change: Change): string {
  return change.kind === 'put' ? change.item.key : change.key;
}

function changed(revision: bigint, changes: readonly Change[]): WatchEvent {
  return { kind: 'changes', revision, changes };
}

function progress(revision: bigint): WatchEvent {
  return { kind: 'progress', revision };
}
