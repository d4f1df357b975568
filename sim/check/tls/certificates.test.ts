import { expect, test } from 'vitest';
import { virtualClock } from '../../../runtime/test-clock.ts';
import { fakeAuthority } from '../../../runtime/tls/fake-authority.ts';
import { seededRandom } from '../../engine/random.ts';
import type { AppliedSnapshot } from '../check.ts';
import { appliedZone, watched, zoneVersion } from '../dns/dns.fixture.ts';
import { certificatesCheck } from './certificates.ts';

const clock = virtualClock();
const authority = fakeAuthority({ clock, random: seededRandom('certificates') });
const HOUR_MS = 3_600_000;
const HOST = 'blog.example.test';

const good = await certificate(HOST, 2 * HOUR_MS);
const other = await certificate(HOST, 3 * HOUR_MS);
const short = await certificate(HOST, HOUR_MS);
const foreign = await certificate('docs.example.test', 2 * HOUR_MS);

test.each([
  { when: 'it stays', kept: [good, good] },
  { when: 'it is renewed', kept: [good, other] },
  { when: 'there was none', kept: [undefined, undefined, good] },
  { when: 'what was there was another host’s', kept: [foreign, undefined] },
])('well: $when', ({ kept }) => {
  expect(found(kept.map((each) => served(each)))).toEqual([]);
});

test.each([
  { when: 'it is gone', kept: [good, undefined] },
  { when: 'it is another host’s', kept: [good, foreign] },
  { when: 'it has ended', kept: [good, short] },
])('INV-29: $when', ({ kept }) => {
  expect(
    found(
      kept.map((each) => served(each)),
      HOUR_MS,
    ),
  ).toHaveLength(1);
});

test('well: one that has ended gives way to none', () => {
  expect(found([served(short), served(undefined)], HOUR_MS)).toEqual([]);
});

test('well: the site is another one, or is not any more', () => {
  expect(found([served(good), served(undefined, 'uid-2')])).toEqual([]);
});

function found(snapshots: readonly AppliedSnapshot[], laterMs = 0): readonly string[] {
  const wallMsAt = (): number => clock.nowMs() + laterMs;
  const { check, found: all } = watched((ports) => certificatesCheck({ ...ports, wallMsAt }));
  for (const snapshot of snapshots) check.applied?.(snapshot);
  return all;
}

type Certificate = Awaited<ReturnType<typeof certificate>>;

function served(inUse: Certificate | undefined, uid = 'uid-1'): AppliedSnapshot {
  const { node, snapshot, report } = appliedZone(zoneVersion(1));
  const rules = { notFoundPage: '', singlePageApp: false, headers: [], redirects: [] };
  const site = { uid, namespace: 'default', name: 'blog', hosts: [HOST], ...rules };
  const certificates = inUse === undefined ? [] : [inUse];
  return {
    node,
    snapshot: { ...snapshot, edge: { sites: [site], certificates, httpsPort: 443 } },
    report: { ...report, sites: [{ uid, ...(inUse && { certificate: inUse.fingerprint }) }] },
  };
}

async function certificate(host: string, lifetimeMs: number) {
  const names = [host];
  const issued = await authority.issueServer({ names, keyType: 'ecdsa-p256', lifetimeMs });
  return { names, ...issued };
}
