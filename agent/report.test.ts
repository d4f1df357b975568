import { expect, test } from 'vitest';
import { NOTHING_APPLIED } from './plane/plane.ts';
import { buildReport } from './report.ts';
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
