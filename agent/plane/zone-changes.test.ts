import { expect, test } from 'vitest';
import { type PackedZone, packZone } from '../../runtime/packed-zone.ts';
import type { ToWorker } from './messages.ts';
import { testSnapshot, testZone } from './plane-fixture.ts';
import { changedZones, growMessages, shrinkMessages, zoneChanges } from './zone-changes.ts';

const [a, b, c] = [packZone(testZone(1)), packZone(testZone(2)), packZone(testZone(3))];
const FIRST_BYTE = a.bytes[0] ?? 0;

test.each([
  { when: 'the first zones', before: [], after: [a, b], added: [a, b] },
  { when: 'nothing', before: [a, b], after: [a, b], added: [] },
  { when: 'one of two', before: [a, b], after: [a, c], added: [c] },
  { when: 'one more, in between', before: [a, b], after: [a, c, b], added: [c] },
  { when: 'one less', before: [a, b, c], after: [a, c], added: [] },
  { when: 'the order', before: [a, b, c], after: [c, a, b], added: [] },
  { when: 'all', before: [a, b], after: [], added: [] },
])('$when changed: only what is new is sent, and the same list comes out', (given) => {
  const { before, after, added } = given;
  const changes = zoneChanges(before, after);
  expect(changes.added).toEqual(added.map(({ bytes }: PackedZone) => bytes));
  expect(changedZones(before, structuredClone(changes))).toEqual(after);
});

test('a zone is in memory once, however many threads have it', () => {
  const { added } = structuredClone(zoneChanges([], [a]));
  added[0]?.fill(7, 0, 1);
  expect(a.bytes[0]).toBe(7);
  added[0]?.fill(FIRST_BYTE, 0, 1);
});

test('changes of another list are refused', () => {
  expect(() => changedZones([], zoneChanges([a], [a]))).toThrow(RangeError);
});

test('a worker sees the snapshots that it was sent, and what did not change as the same objects', () => {
  const [shrink, grow] = [shrinkMessages(), growMessages()];
  const message = (sequence: number, zones: readonly (typeof a)[]): ToWorker => {
    const { dns } = testSnapshot(sequence, { dns: { ...testSnapshot(1).dns, zones } });
    return { kind: 'apply', sequence, snapshot: { kind: 'dns', dns, databases: [] } };
  };
  const sent = [message(1, [a, b]), { kind: 'ping' } as const, message(2, [c, b]), message(3, [b])];
  const seen = sent.map((each) => grow(structuredClone(shrink(each))));
  expect(seen).toEqual(sent);
  const zones = seen.map((each) =>
    each.kind === 'apply' && each.snapshot.kind === 'dns' ? each.snapshot.dns.zones : [],
  );
  expect(zones[2]?.[1]).toBe(zones[0]?.[1]);
  expect(zones[3]?.[0]).toBe(zones[0]?.[1]);
});
