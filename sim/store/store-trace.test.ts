import { expect, test } from 'vitest';
import type { Transaction } from '../../runtime/store/store.ts';
import type { StoreCall, StoreEvent } from '../check/store-event.ts';
import { Trace } from '../engine/trace.ts';
import { StoreTrace } from './store-trace.ts';

const KEY = '/b8s/nodes/london';
const signal = new AbortController().signal;
const watch = { process: 'dom-2#1', prefix: '/b8s/', afterRevision: 1n, signal };

test('a commit follows from what its sender knew when it sent it; a watch from the commit', () => {
  const { trace, store } = make();
  trace.add('dom-1', 'decides');
  const call = commit('dom-1#1');
  store.stored({ kind: 'called', call });
  trace.add('dom-1', 'later');
  committed(store, call, 2n);
  store.stored({ kind: 'delivered', watch, event: changes(2n) });
  expect(told(trace)).toEqual([
    'dom-1 decides <',
    'dom-1 later <',
    'store 2 by dom-1#1: +nodes/london < 0',
    'dom-2 2: nodes/london < 2',
  ]);
});

test('whoever reads a revision knows of its commit from then on', () => {
  const { trace, store } = make();
  const call = commit('dom-1#1');
  committed(store, call, 2n);
  const get: StoreCall = { process: 'dom-2#1', request: { kind: 'get', key: KEY } };
  const item = { key: KEY, value: '{}', createRevision: 2n, modRevision: 2n };
  store.stored({ kind: 'answered', call: get, answer: { kind: 'item', item } });
  trace.add('dom-2', 'decides');
  expect(told(trace).at(-1)).toBe('dom-2 decides < 0');
});

test('the end of a lease is told, and seen', () => {
  const { trace, store } = make();
  const event = {
    ...changes(7n),
    changes: [{ kind: 'delete', key: KEY, modRevision: 7n }],
  } as const;
  store.stored({ ...event, kind: 'revision', by: 'lease' });
  store.stored({ kind: 'delivered', watch, event });
  expect(told(trace)).toEqual([
    'store 7: a lease has ended: -nodes/london <',
    'dom-2 7: -nodes/london < 0',
  ]);
});

test.each([
  [
    'refused',
    { kind: 'outcome', outcome: { outcome: 'conflict', revision: 9n } },
    'dom-1 its commit is refused: nodes/london <',
  ],
  [
    'failed',
    { kind: 'failed', error: new Error('no answer') },
    'dom-1 its commit fails: nodes/london: Error: no answer <',
  ],
] as const)('a commit that is %s', (_, answer, line) => {
  const { trace, store } = make();
  store.stored({ kind: 'answered', call: commit('dom-1#1'), answer });
  expect(told(trace)).toEqual([line]);
});

test('a read that fails is told by whoever read', () => {
  const { trace, store } = make();
  const call: StoreCall = { process: 'dom-1#1', request: { kind: 'get', key: KEY } };
  store.stored({ kind: 'answered', call, answer: { kind: 'failed', error: new Error('x') } });
  expect(told(trace)).toEqual([]);
});

function make(): { trace: Trace; store: StoreTrace } {
  const trace = new Trace(() => 0, { keep: 'lines' });
  return { trace, store: new StoreTrace(trace) };
}

function commit(process: string): StoreCall & { request: { transaction: Transaction } } {
  const transaction: Transaction = { guards: [], writes: [{ kind: 'put', key: KEY, value: '{}' }] };
  return { process, request: { kind: 'commit', transaction } };
}

function committed(
  store: StoreTrace,
  { process, request: { transaction } }: ReturnType<typeof commit>,
  revision: bigint,
): void {
  store.committed({ process, transaction, revision, before: new Map() });
}

function changes(
  revision: bigint,
): Extract<Extract<StoreEvent, { kind: 'delivered' }>['event'], { kind: 'changes' }> {
  const item = { key: KEY, value: '{}', createRevision: revision, modRevision: revision };
  return { kind: 'changes', revision, changes: [{ kind: 'put', item }] };
}

function told(trace: Trace): readonly string[] {
  return trace.lines().map(({ host, what, causes }) => [host, what, '<', ...causes].join(' '));
}
