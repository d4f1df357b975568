import { expect, test } from 'vitest';
import { commitOf, exchangeOf, soaOf, watched, zoneVersion } from './dns.fixture.ts';
import { serialsCheck } from './serials.ts';

test.each([
  { when: 'other data has a later serial', serials: [5, 6], data: 'other' },
  { when: 'the same data has the same serial', serials: [5, 5], data: 'same' },
  { when: 'serials begin again at 0', serials: [0xffff_ffff, 0], data: 'other' },
])('well: $when', ({ serials, data }) => {
  expect(foundAfter(serials, data)).toEqual([]);
});

test.each([
  { when: 'a serial decreases', serials: [6, 5], data: 'other' },
  { when: 'it does so for the same data', serials: [6, 5], data: 'same' },
  { when: 'other data has the same serial', serials: [5, 5], data: 'other' },
  { when: 'a serial goes back over 0', serials: [0, 0xffff_ffff], data: 'other' },
])('INV-22: $when', ({ serials, data }) => {
  expect(foundAfter(serials, data)).toHaveLength(1);
});

test('INV-22: a Zone that is declared again goes on where the one before ended', () => {
  const { check, found } = watched(serialsCheck);
  check.committed?.(commitOf(zoneVersion(6)));
  check.committed?.(commitOf('deletion'));
  check.committed?.(commitOf(zoneVersion(4, { zoneUid: 'zone-2' })));
  expect(found).toEqual(['INV-22: commit 1 of example.test: serial 4 after 6']);
});

test('INV-22: what a nameserver answers does not go back, unless it is set up anew', () => {
  const { check, found } = watched(serialsCheck);
  const answer = (serial: number): void =>
    check.asked?.(exchangeOf({ name: 'no.example.test' }, { authorities: [soaOf(serial)] }));
  for (const serial of [7, 7, 8]) answer(serial);
  check.installed?.('london');
  answer(3);
  expect(found).toEqual([]);
  answer(2);
  expect(found).toEqual(['INV-22: london answers serial 2 of example.test after 3']);
});

function foundAfter(serials: readonly number[], data: string): readonly string[] {
  const { check, found } = watched(serialsCheck);
  for (const [index, serial] of serials.entries())
    check.committed?.(
      commitOf(zoneVersion(serial, { records: [], retryS: data === 'same' ? 1 : index })),
    );
  return found;
}
