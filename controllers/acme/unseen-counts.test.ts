import { expect, test } from 'vitest';
import type { AcmeCountRecord } from '../../runtime/acme/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { UnseenCounts } from './unseen-counts.ts';

const COUNT: AcmeCountRecord = {
  ...{ directory: 'https://ca.test', issuerUid: 'i', names: ['a.test'] },
  ...{ startedMs: 1, kind: 'first' },
};
const write: Operation = {
  ...{ kind: 'record', record: 'acmeCount', id: 'u/1', value: COUNT, modRevision: 0n },
};

function world() {
  const seen = new Map<string, AcmeCountRecord>();
  const it = {
    seen,
    revision: 5n,
    record: (_kind: string, id: string) => {
      const value = seen.get(id);
      return value && { value, modRevision: 1n };
    },
    records: () => [...seen].map(([id, value]) => [id, { value, modRevision: 1n }] as const),
  };
  return { it, counts: new UnseenCounts(it as never) };
}

test('an order counts from before its write, and once only when it is seen', () => {
  const { it, counts } = world();
  const begun = counts.begin([write]);
  expect(counts.all()).toEqual([COUNT]);
  begun.end(7n);
  expect(counts.all()).toEqual([COUNT]);
  it.seen.set('u/1', COUNT);
  expect(counts.all()).toEqual([COUNT]);
});

test('one that was refused does not, and one that is gone again by now', () => {
  const { it, counts } = world();
  counts.begin([write]).end(undefined);
  expect(counts.all()).toEqual([]);
  counts.begin([write]).end(7n);
  it.revision = 7n;
  expect(counts.all()).toEqual([]);
});

test('of one in doubt nobody knows, so it counts', () => {
  const { it, counts } = world();
  counts.begin([write]);
  it.revision = 100n;
  expect(counts.all()).toEqual([COUNT]);
});
