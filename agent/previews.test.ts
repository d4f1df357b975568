import { expect, test } from 'vitest';
import { previewDigits } from '../api/previews.ts';
import { CertificatePlan, type PreviewPlan, SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { type Digest, digestOf } from '../runtime/content/digest.ts';
import { NOTHING_APPLIED } from './plane/plane.ts';
import { buildReport } from './report.ts';
import { ServedFile } from './served-file.ts';
import type { PlanObjects } from './session/plan-objects.ts';
import type { HeldPlan } from './session/plan-state.ts';
import { buildSnapshot, desiredContent, NOTHING_SERVED, type Served } from './snapshot.ts';

const NOW_MS = 1_000_000;
const [R1, R2, R3] = [digest('1'), digest('2'), digest('3')];

function digest(text: string): Digest {
  return digestOf(Buffer.from(text));
}

const hostOf = (release: Digest) => `${release.slice(7, 19)}--blog.preview.test`;
const preview = (release: Digest): PreviewPlan => ({ host: hostOf(release), release });

function plan(previews: readonly PreviewPlan[], more: Partial<PlanObjects> = {}): PlanObjects {
  const site = {
    ...SitePlan.fromPartial({}),
    ...{ uid: 'u1', name: 'blog', hosts: ['blog.test'], serving: R1, prepare: [R1] },
    ...{ previews, previewCertificate: 'certificate/default/previews.preview.test' },
  };
  const none = { certificates: new Map(), zones: [], nodes: [], challenges: [] };
  return { ...none, sites: [site], geo: undefined, dns: undefined, ...more };
}

function wildcard(fields: Partial<CertificatePlan> = {}): CertificatePlan {
  const names = ['*.preview.test'];
  const notAfterMs = BigInt(NOW_MS + 1);
  return { ...CertificatePlan.fromPartial({}), names, notAfterMs, fingerprint: 'f', ...fields };
}

const certificates = new Map([['certificate/default/previews.preview.test', wildcard()]]);

function build(given: PlanObjects, verified: readonly Digest[], previous: Served = NOTHING_SERVED) {
  return buildSnapshot({
    plan: given,
    content: { verified: new Set(verified), blobs: new Set(), variants: new Map() },
    ...{ previous, node: 'london', health: {}, sequence: 1, nowMs: NOW_MS },
  });
}

test('a preview has its release once that is verified here, and keeps it', () => {
  const given = plan([preview(R2), preview(R3)], { certificates });
  const { snapshot, served } = build(given, [R2]);
  const [site] = snapshot.edge.sites;
  expect(site?.previews).toEqual([preview(R2), { host: hostOf(R3) }]);
  expect(site?.previewCertificate).toBe('f');
  expect(snapshot.edge.certificates.map(({ fingerprint }) => fingerprint)).toEqual(['f']);
  // A node that begins anew has looked at nothing yet (INV-24).
  const anew = build(given, [], served).snapshot.edge.sites[0];
  expect(anew?.previews).toEqual([preview(R2), { host: hostOf(R3) }]);
});

test('one that the plan has no more is served no more', () => {
  const { served } = build(plan([preview(R2)], { certificates }), [R2]);
  const { snapshot, served: next } = build(plan([], { certificates }), [R2], served);
  expect(snapshot.edge.sites[0]).not.toHaveProperty('previews');
  expect([next.previews.size, next.previewCertificates.size]).toEqual([0, 0]);
});

test('an expired certificate does not take the place of a good one', () => {
  const { served } = build(plan([preview(R2)], { certificates }), [R2]);
  const expired = wildcard({ notAfterMs: 0n, fingerprint: 'old' });
  const worse = new Map([['certificate/default/previews.preview.test', expired]]);
  const { snapshot } = build(plan([preview(R2)], { certificates: worse }), [R2], served);
  expect(snapshot.edge.sites[0]?.previewCertificate).toBe('f');
});

test('what names no release is not shown', () => {
  const { snapshot } = build(plan([{ host: 'x--blog.preview.test', release: '../etc' }]), [R2]);
  expect(snapshot.edge.sites[0]?.previews).toEqual([{ host: 'x--blog.preview.test' }]);
});

test('they are fetched after all that sites are to serve, and stay while they are served', () => {
  const other = { ...SitePlan.fromPartial({}), uid: 'u0', prepare: [R3] };
  const given = plan([preview(R2), preview(R1)]);
  const { served } = build(given, [R2]);
  const desired = desiredContent({ ...given, sites: [...given.sites, other] }, [served]);
  expect(desired.releases).toEqual([R1, R3, R2]);
  expect(desired.keepReleases).toEqual([R2]);
});

test('what is served of them is remembered over restarts', async () => {
  let held: HeldPlan | undefined;
  const file = {
    load: () => Promise.resolve(held),
    save: (next: HeldPlan) => {
      held = next;
      return Promise.resolve();
    },
  };
  const { served } = build(plan([preview(R2)], { certificates }), [R1, R2]);
  await new ServedFile(file).remember(served);
  const loaded = await new ServedFile(file).load();
  expect(loaded).toEqual(served);
  // As one that knows nothing of them reads it, too: no site, and no site's certificate.
  expect([...loaded.releases]).toEqual([['u1', R1]]);
  expect(loaded.certificates.size).toBe(0);
});

test.each([
  {
    when: 'it is loaded and has a certificate',
    loaded: [R3, R2],
    names: undefined,
    told: [R2, R3],
  },
  { when: 'it is not loaded', loaded: [R2], names: undefined, told: [R2] },
  { when: 'its certificate is of other names', loaded: [R2], names: ['*.test'], told: [] },
])('a preview is reported when $when', ({ loaded, names, told }) => {
  const given = plan([preview(R3), preview(R2)], {
    certificates: new Map([
      ['certificate/default/previews.preview.test', wildcard(names === undefined ? {} : { names })],
    ]),
  });
  const { served } = build(given, [R1, R2, R3]);
  const sites = [{ uid: 'u1', release: R1, previews: loaded }];
  const report = buildReport({
    applied: {
      ...{ position: { epoch: 1n, revision: 1n }, plan: given, served },
      outcome: { ...NOTHING_APPLIED, sites },
    },
    content: {
      verified: new Set([R1, R2, R3]),
      ...{ blobs: new Set(), variants: new Map(), errors: new Map() },
    },
    ...{ health: {}, trouble: undefined, rssBytes: 0 },
  });
  expect(new Set(report.sites[0]?.previews)).toEqual(new Set(told.map(previewDigits)));
  expect(report.sites[0]?.previews).toEqual(report.sites[0]?.previews.toSorted());
});

test('what is wrong with a preview is not held against the release that is rolled out', () => {
  const given = plan([preview(R1), preview(R2)]);
  const report = buildReport({
    applied: {
      ...{ position: { epoch: 1n, revision: 1n }, plan: given, served: NOTHING_SERVED },
      outcome: NOTHING_APPLIED,
    },
    content: {
      ...{ verified: new Set([R1]), blobs: new Set(), variants: new Map() },
      errors: new Map([[R2, 'the disk is full. '.repeat(20)]]),
    },
    ...{ health: {}, trouble: undefined, rssBytes: 0 },
  });
  expect(report.sites[0]).toMatchObject({ error: '', verified: [R1] });
  expect(report.sites[0]?.previewError).toMatch(/^the disk is full/);
  expect(report.sites[0]?.previewError.length).toBeLessThanOrEqual(120);
});
