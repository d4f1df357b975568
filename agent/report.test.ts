import { expect, test } from 'vitest';
import { NOTHING_APPLIED } from './plane/plane.ts';
import { buildReport } from './report.ts';
import type { PlanObjects } from './session/plan-objects.ts';
import { NOTHING_SERVED } from './snapshot.ts';

test('tokens of proofs are told sorted, once each, and so many that dom can keep them', () => {
  const token = (index: number): string => `${index}`.padStart(43, '0');
  const challenges = Array.from({ length: 12_000 }, (_, index) => token((index * 7919) % 6000));
  const plan = {
    ...{ sites: [], certificates: new Map(), zones: [], nodes: [], challenges: [] },
    ...{ geo: undefined, dns: undefined },
  };
  const report = buildReport({
    applied: {
      ...{ position: { epoch: 1n, revision: 1n }, plan, served: NOTHING_SERVED },
      outcome: { ...NOTHING_APPLIED, challenges },
    },
    content: { verified: new Set(), blobs: new Set(), variants: new Map(), errors: new Map() },
    ...{ health: {}, trouble: undefined, rssBytes: 0 },
  });
  expect(report.challenges).toHaveLength(5000);
  expect(report.challenges).toEqual(
    Array.from({ length: 5000 }, (_, index) => token(index)).toSorted(),
  );
  // With room for everything else that a report says.
  expect(JSON.stringify(report.challenges).length).toBeLessThan(256 * 1024);
});

test('what sites warn of is told within bounds, so that the report can be kept', () => {
  const warning = 'w'.repeat(700);
  const sites = Array.from({ length: 200 }, (_, index) => ({
    ...{ uid: `u${index}`, namespace: 'default', name: `s${index}`, generation: 1n },
    ...{ hosts: [], serving: '', prepare: [], variants: [], previews: [] },
  }));
  const plan = {
    ...{ sites, certificates: new Map(), zones: [], nodes: [], challenges: [] },
    ...{ geo: undefined, dns: undefined },
  } as unknown as PlanObjects;
  const outcome = { ...NOTHING_APPLIED, sites: sites.map(({ uid }) => ({ uid, warning })) };
  const report = buildReport({
    applied: {
      ...{ position: { epoch: 1n, revision: 1n }, plan, served: NOTHING_SERVED, outcome },
    },
    content: { verified: new Set(), blobs: new Set(), variants: new Map(), errors: new Map() },
    ...{ health: {}, trouble: undefined, rssBytes: 0 },
  });
  expect(report.sites[0]?.warning).toBe(warning);
  expect(report.sites.filter((each) => each.warning !== '')).toHaveLength(71);
});

test.each([
  { when: 'a file does not fit', trouble: undefined, error: 'write x: ENOSPC: no space left' },
  { when: 'the plan does not fit', trouble: 'write plan.bin: ENOSPC: no space left', error: '' },
])('that the disk is full is told, and what to do, when $when', ({ trouble, error }) => {
  const told = (why: string | undefined, failed: string) =>
    buildReport({
      applied: undefined,
      content: {
        ...{ verified: new Set(), blobs: new Set(), variants: new Map() },
        errors: failed === '' ? new Map() : new Map([[`sha256-${'a'.repeat(64)}`, failed]]),
      },
      ...{ health: {}, trouble: why, rssBytes: 0 },
    }).conditions.find(({ type }) => type === 'DiskRoom');
  expect(told(trouble, error)).toMatchObject({
    ...{ status: false, reason: 'DiskFull' },
    message: 'its disk is full: no space left; make room, and it goes on by itself',
  });
  expect(told(undefined, '')).toBeUndefined();
});
