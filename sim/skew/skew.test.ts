import { expect, test } from 'vitest';
import { geo } from '../run/geo.fixture.ts';
import { rehearse } from '../run/rehearse.ts';
import { changeSetting, drawSetting } from '../run/setting.ts';
import { checkOut, hasCommit, ROOT } from './checkout.fixture.ts';

/**
 * The oldest version that may run beside the present one: before zones were handed to secondaries
 * (RFC 5936), before nameservers reported what keys they sign with, before ACME.
 */
const BASE = 'cec6366';
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

const isThere = hasCommit(BASE);
// A clone without that part of history still shows that an upgrade goes through as such.
const which = isThere ? '' : ` (to itself: this clone does not have ${BASE})`;

test(`old and new doms and nodes get along while a cluster is upgraded${which}`, async () => {
  const older = isThere ? checkOut(BASE) : ROOT;
  const found: string[] = [];
  for (const seed of SEEDS) {
    const setting = changeSetting(drawSetting(seed, 'short'), { older });
    const rehearsal = await rehearse(setting, { keep: 'hash', geo, onUnhandled });
    if (rehearsal.kind === 'failed') found.push(rehearsal.message);
  }
  expect(found).toEqual([]);
});

test('a commit that there is not is told', () => {
  expect(() => checkOut('no-such-commit')).toThrow('no-such-commit');
});

function onUnhandled(note: (reason: unknown) => void): () => void {
  process.on('unhandledRejection', note);
  return () => process.off('unhandledRejection', note);
}
