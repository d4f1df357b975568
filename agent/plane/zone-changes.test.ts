import { expect, test } from 'vitest';
import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { PackedZone, packZone } from '../../runtime/dns/packed-zone.ts';
import type { ZoneOutcome } from '../dns/zone/zone.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { NOTHING_APPLIED } from './plane.ts';
import { testSnapshot, testZone } from './plane-fixture.ts';
import { growMessages, growReports, shrinkMessages, shrinkReports } from './zone-changes.ts';

const [a, b, c] = [packZone(testZone(1)), packZone(testZone(2)), packZone(testZone(3))];
const FIRST_BYTE = a.bytes[0] ?? 0;

const message = (sequence: number, zones: readonly ZonePlan[]): ToWorker => {
  const { dns } = testSnapshot(sequence, { dns: { ...testSnapshot(1).dns, zones } });
  return { kind: 'apply', sequence, snapshot: { kind: 'dns', dns, databases: [] } };
};

function addedIn(sent: ToWorker): readonly Uint8Array[] {
  if (sent.kind !== 'apply' || sent.snapshot.kind !== 'dns') throw new TypeError(sent.kind);
  return sent.snapshot.zoneChanges?.added ?? [];
}

test('a zone is in memory once, however many threads have it', () => {
  const [added] = structuredClone(addedIn(shrinkMessages()(message(1, [a]))));
  added?.fill(7, 0, 1);
  expect(a.bytes[0]).toBe(7);
  added?.fill(FIRST_BYTE, 0, 1);
});

test('of ten thousand zones the one that changed is sent, and comes as a new object alone', () => {
  const [shrink, grow] = [shrinkMessages(), growMessages()];
  const zones = Array.from({ length: 10_000 }, () => new PackedZone(a.bytes));
  const first = grow(shrink(message(1, zones)));
  const sent = shrink(message(2, zones.with(7919, b)));
  expect(addedIn(sent)).toEqual([b.bytes]);
  const [before, after] = [zonesIn(first), zonesIn(grow(sent))];
  expect(after.filter((zone, place) => zone !== before[place])).toEqual([b]);
});

function zonesIn(grown: ToWorker): readonly ZonePlan[] {
  return grown.kind === 'apply' && grown.snapshot.kind === 'dns' ? grown.snapshot.dns.zones : [];
}

test('a worker sees the snapshots that it was sent, and what did not change as the same objects', () => {
  const [shrink, grow] = [shrinkMessages(), growMessages()];
  const sent = [message(1, [a, b]), { kind: 'ping' } as const, message(2, [c, b]), message(3, [b])];
  const seen = sent.map((each) => grow(structuredClone(shrink(each))));
  expect(seen).toEqual(sent);
  const zones = seen.map(zonesIn);
  expect(zones[2]?.[1]).toBe(zones[0]?.[1]);
  expect(zones[3]?.[0]).toBe(zones[0]?.[1]);
});

test('of what is served, the zones that are new are reported; the others stay the same objects', () => {
  const [shrink, grow] = [shrinkReports(), growReports()];
  const outcome = (uid: string, serial: number): ZoneOutcome => ({
    ...{ uid, name: uid, serial, error: undefined },
  });
  const report = (sequence: number, zones: readonly ZoneOutcome[]): FromWorker => {
    return { kind: 'applied', sequence, report: { ...NOTHING_APPLIED, zones } };
  };
  const zones = Array.from({ length: 10_000 }, (_, index) => outcome(`z${index}`, 1));
  const changed = zones.with(7919, outcome('z7919', 2));
  const wire = [report(1, zones), { kind: 'pong' } as const, report(2, changed)].map((each) =>
    structuredClone(shrink(each)),
  );
  const [first, , second] = wire.map(grow);
  expect([first, second]).toEqual([report(1, zones), report(2, changed)]);
  const sent = wire[2]?.kind === 'applied' ? wire[2].zoneChanges?.added : undefined;
  expect(sent).toEqual([outcome('z7919', 2)]);
  const of = (each: FromWorker | undefined): readonly ZoneOutcome[] =>
    each?.kind === 'applied' ? each.report.zones : [];
  expect(of(second).filter((zone, place) => zone !== of(first)[place])).toEqual(sent);
});
