import { expect, test } from 'vitest';
import { EPOCH_KEY, kindPrefix, LEADER_KEY, recordKey } from '../../../runtime/store/keys.ts';
import type { Guard, Write } from '../../../runtime/store/store.ts';
import { StoreHistory } from '../store-history.ts';
import { fencesCheck } from './fences.ts';

const REPOSITORY = `${kindPrefix('Repository')}default/one`;
const CALLS = recordKey('repositoryHook', 'u1');

test('whoever wrote the last epoch may write, until another one has', () => {
  const { lead, write, violations } = scene();
  lead('dom-1#1', 1n);
  write('dom-1#1');
  lead('dom-2#1', 2n);
  write('dom-2#1');
  expect(violations).toEqual([]);
  write('dom-1#1');
  expect(violations).toEqual(['INV-15: commit 6 of dom-1#1, while dom-2#1 leads epoch 2']);
});

test('a write without a fence is guilty, whoever sends it', () => {
  const { lead, write, violations } = scene();
  lead('dom-1#1', 1n);
  write('dom-1#1', []);
  expect(violations).toEqual(['INV-15: commit 3 does not carry its epoch']);
});

test('a call of a Git host asks by a write without a fence, over what was read', () => {
  const { lead, call, violations } = scene();
  lead('dom-1#1', 1n);
  call(
    'dom-2#1',
    [REPOSITORY, CALLS].map((key) => ({ key, modRevision: 1n })),
  );
  expect(violations).toEqual([]);
  call('dom-2#1', [{ key: CALLS, modRevision: 1n }]);
  expect(violations[0]).toBe('INV-15: commit 4 does not carry its epoch');
});

test.each([1n, 0n])('epoch 1 must not be followed by %i', (epoch) => {
  const { lead, violations } = scene();
  lead('dom-1#1', 1n);
  lead('dom-2#1', epoch);
  expect(violations).toEqual([`INV-15: epoch ${epoch} comes after 1`]);
});

test('a refused write is fenced when its fence failed, not when an object had changed', () => {
  const { lead, refuse, reached } = scene();
  lead('dom-1#1', 1n);
  refuse([
    { key: EPOCH_KEY, modRevision: 2n },
    { key: '/a', modRevision: 7n },
  ]);
  expect(reached).toEqual([]);
  refuse([{ key: EPOCH_KEY, modRevision: 1n }]);
  expect(reached).toEqual(['fenced write refused']);
});

test('who leads may write its epoch once more, and nobody else', () => {
  const { lead, renew, write, violations, reached } = scene();
  lead('dom-1#1', 1n);
  renew('dom-1#1', 1n);
  write('dom-1#1');
  expect(violations).toEqual([]);
  expect(reached).toEqual(['fence renewed after a write in doubt']);
  renew('dom-2#1', 1n);
  expect(violations).toEqual(['INV-15: epoch 1 comes after 1']);
});

function scene() {
  const violations: string[] = [];
  const reached: string[] = [];
  const history = new StoreHistory();
  const check = fencesCheck(
    {
      violated: (number, what) => void violations.push(`INV-${number}: ${what}`),
      reached: (path) => void reached.push(path),
    },
    history,
  );
  const fence = (): readonly Guard[] => [
    { key: EPOCH_KEY, modRevision: history.get(EPOCH_KEY, history.head)?.modRevision ?? 0n },
  ];
  const commit = (process: string, guards: readonly Guard[], writes: readonly Write[]): void => {
    const revision = history.head + 1n;
    const changes = writes.flatMap(({ key, ...write }) =>
      write.kind === 'delete'
        ? []
        : ([
            {
              kind: 'put',
              item: { key, value: write.value, createRevision: revision, modRevision: revision },
            },
          ] as const),
    );
    history.add({ revision, changes });
    const transaction = { guards, writes };
    check.committed?.({ revision, transaction, before: new Map(), process });
  };
  return {
    violations,
    reached,
    lead: (process: string, epoch: bigint): void =>
      commit(process, fence(), [
        { kind: 'put', key: LEADER_KEY, value: '{}' },
        { kind: 'put', key: EPOCH_KEY, value: JSON.stringify({ epoch: String(epoch) }) },
      ]),
    renew: (process: string, epoch: bigint): void =>
      commit(process, fence(), [
        { kind: 'put', key: EPOCH_KEY, value: JSON.stringify({ epoch: String(epoch) }) },
      ]),
    write: (process: string, guards: readonly Guard[] = fence()): void =>
      commit(process, guards, [{ kind: 'put', key: '/a', value: '1' }]),
    call: (process: string, guards: readonly Guard[]): void =>
      commit(
        process,
        guards,
        [REPOSITORY, CALLS].map((key) => ({ kind: 'put', key, value: '{}' })),
      ),
    refuse: (guards: readonly Guard[]): void => {
      const transaction = { guards, writes: [{ kind: 'put', key: '/a', value: '1' }] as const };
      const { head: revision } = history;
      check.stored?.({ kind: 'refused', process: 'dom-1#1', transaction, revision });
    },
  };
}
