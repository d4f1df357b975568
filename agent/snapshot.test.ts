import { describe, expect, test } from 'vitest';
import { CertificatePlan, NodePlan, SitePlan } from '../proto/gen/b8s/v1/plan.ts';
import { type Digest, digestOf } from '../runtime/content/digest.ts';
import type { PlanObjects } from './session/plan-objects.ts';
import {
  buildSnapshot,
  desiredContent,
  NOTHING_SERVED,
  type Served,
  type SnapshotInput,
} from './snapshot.ts';

const NOW_MS = 1_000_000;
const [R1, R2, R3] = [digest('r1'), digest('r2'), digest('r3')];
const [GEO4, GEO6, GEO4_NEW] = [digest('geo4'), digest('geo6'), digest('new geo4')];

describe('the release of a site', () => {
  test.each<{ when: string; serving: string; verified: Digest[]; had?: Digest; serves?: Digest }>([
    { when: 'it is verified', serving: R1, verified: [R1], serves: R1 },
    { when: 'it is not verified, and nothing was served', serving: R1, verified: [] },
    {
      when: 'it is not verified: what was served',
      serving: R2,
      verified: [R1],
      had: R1,
      serves: R1,
    },
    {
      when: 'it is not verified: an older one, though verified, is not chosen',
      ...{ serving: R3, verified: [R1, R2], had: R2, serves: R2 },
    },
    {
      when: 'it is verified, and older: dom rolls back',
      serving: R1,
      verified: [R1, R2],
      had: R2,
      serves: R1,
    },
    { when: 'dom names none: what was served', serving: '', verified: [R1], had: R1, serves: R1 },
    { when: 'dom names what is no digest', serving: '../../etc', verified: [] },
    {
      when: 'what is served is not whole on disk any more: it is served on',
      ...{ serving: R2, verified: [], had: R1, serves: R1 },
    },
  ])('when $when', ({ serving, verified, had, serves }) => {
    const { snapshot, served } = build({
      plan: plan({ sites: [site({ serving })] }),
      content: { verified: new Set(verified), blobs: new Set(), variants: new Map() },
      ...(had !== undefined && {
        previous: { ...NOTHING_SERVED, releases: new Map([['u1', had]]) },
      }),
    });
    expect(snapshot.edge.sites[0]?.release).toBe(serves);
    expect(served.releases.get('u1')).toBe(serves);
  });

  test('another site of the same name does not inherit it', () => {
    const previous = { ...NOTHING_SERVED, releases: new Map([['u0', R1]]) };
    const { snapshot, served } = build({
      plan: plan({ sites: [site({ serving: R2 })] }),
      previous,
    });
    expect(snapshot.edge.sites[0]).not.toHaveProperty('release');
    expect(served.releases.size).toBe(0);
  });
});

describe('of a release that dom has compressed', () => {
  const variants = [
    { release: R1, index: R3 },
    { release: 'no digest', index: R3 },
    { release: R2, index: 'no digest' },
  ];
  const content = { verified: new Set([R1, R2]), blobs: new Set<Digest>() };

  test('the forms are served once their index is here', () => {
    const sites = [site({ serving: R1, variants })];
    const without = build({ plan: plan({ sites }), content: { ...content, variants: new Map() } });
    expect(without.snapshot.edge.sites[0]).not.toHaveProperty('variants');
    const here = { ...content, variants: new Map([[R3, [R2]]]) };
    const { snapshot } = build({ plan: plan({ sites }), content: here });
    expect(snapshot.edge.sites[0]?.variants).toEqual([{ release: R1, index: R3, absent: [R2] }]);
    expect(desiredContent(plan({ sites }), []).variants).toEqual([R3]);
  });

  test('the date of a switch is not that of what is served until it can be made', () => {
    const switchedAtMs = BigInt(NOW_MS - (NOW_MS % 1000));
    const sites = [site({ serving: R3, switchedAtMs })];
    const previous = { ...NOTHING_SERVED, releases: new Map([['u1', R2]]) };
    const before = build({
      plan: plan({ sites }),
      previous,
      content: { ...content, variants: new Map() },
    });
    expect(before.snapshot.edge.sites[0]).toMatchObject({ release: R2 });
    expect(before.snapshot.edge.sites[0]).not.toHaveProperty('switchedAtS');
    const verified = new Set([R3]);
    const after = build({
      plan: plan({ sites }),
      previous,
      content: { ...content, verified, variants: new Map() },
    });
    expect(after.snapshot.edge.sites[0]?.switchedAtS).toBe(Number(switchedAtMs) / 1000);
  });
});

describe('the certificate of a site', () => {
  const valid = certificate({ fingerprint: 'valid', notAfterMs: BigInt(NOW_MS + 1) });
  const fresh = certificate({ fingerprint: 'fresh', notAfterMs: BigInt(NOW_MS + 9) });
  const expired = certificate({ fingerprint: 'expired', notAfterMs: BigInt(NOW_MS) });
  const foreign = { ...fresh, fingerprint: 'foreign', names: ['other.test'] };
  const wildcard = { ...fresh, fingerprint: 'wildcard', names: ['*.test'] };

  test.each<{ when: string; inUse?: CertificatePlan; given?: CertificatePlan; serves?: string }>([
    { when: 'there is none' },
    { when: 'the first one comes', given: valid, serves: 'valid' },
    { when: 'a newer one comes', inUse: valid, given: fresh, serves: 'fresh' },
    { when: 'a valid one goes missing', inUse: valid, serves: 'valid' },
    { when: 'an expired one comes for a valid one', inUse: valid, given: expired, serves: 'valid' },
    { when: 'one of other names comes', inUse: valid, given: foreign, serves: 'valid' },
    {
      when: 'a wildcard that covers the host comes',
      inUse: valid,
      given: wildcard,
      serves: 'wildcard',
    },
    { when: 'a valid one comes for an expired one', inUse: expired, given: valid, serves: 'valid' },
    { when: 'only an expired one is there: better than none', given: expired, serves: 'expired' },
  ])('when $when', ({ inUse, given, serves }) => {
    const { snapshot } = build({
      plan: plan({
        sites: [site({ certificate: given === undefined ? '' : 'certificate/a' })],
        certificates: new Map(given === undefined ? [] : [['certificate/a', given]]),
      }),
      ...(inUse !== undefined && {
        previous: { ...NOTHING_SERVED, certificates: new Map([['u1', inUse]]) },
      }),
    });
    expect(snapshot.edge.sites[0]?.certificate).toBe(serves);
    const fingerprints = snapshot.edge.certificates.map(({ fingerprint }) => fingerprint);
    expect(fingerprints).toEqual(serves === undefined ? [] : [serves]);
  });
});

describe('the geography databases', () => {
  test.each([
    { when: 'all are here', here: [GEO4_NEW, GEO6], had: [GEO4, GEO6], uses: [GEO4_NEW, GEO6] },
    { when: 'one is missing: the old set', here: [GEO6], had: [GEO4, GEO6], uses: [GEO4, GEO6] },
    { when: 'one is missing and there was no set', here: [GEO6], had: [], uses: [GEO6] },
  ])('when $when', ({ here, had, uses }) => {
    const databases = [GEO4_NEW, GEO6].map((each) => ({ digest: each, sizeBytes: 1n }));
    const { snapshot } = build({
      plan: plan({ geo: { databases } }),
      content: { verified: new Set(), blobs: new Set(here), variants: new Map() },
      previous: { ...NOTHING_SERVED, databases: had },
    });
    expect(snapshot.dns.databases).toEqual(uses);
  });
});

test('a site that left the plan is neither served nor remembered (INV-26)', () => {
  const previous = { ...NOTHING_SERVED, releases: new Map([['u1', R1]]) };
  const { snapshot, served } = build({ previous });
  expect(snapshot.edge.sites).toEqual([]);
  expect(served).toEqual(NOTHING_SERVED);
});

test("HTTPS is where the node's own entry says", () => {
  const own = NodePlan.fromPartial({ name: 'london', httpsPort: 8443 });
  expect(build({ plan: plan({ nodes: [own] }) }).snapshot.edge.httpsPort).toBe(8443);
  expect(build({}).snapshot.edge.httpsPort).toBe(443);
});

test('clients are asked to leave an edge that is drained, and no other', () => {
  const drained = (name: string) =>
    NodePlan.fromPartial({ name, unschedulable: true, drain: true });
  const clients = (name: string) =>
    build({ plan: plan({ nodes: [drained(name)] }) }).snapshot.edge.clients;
  expect(clients('london')).toBe('leave');
  expect(clients('tokyo')).toBeUndefined();
});

test('proofs for CAs are put up, of hosts without a site, too, and go with the plan (INV-32)', () => {
  const http = [{ host: 'new.test', token: 't1', keyAuthorization: 't1.x' }];
  const challenges = [{ uid: 'c1', http, alpn: [] }];
  expect(build({ plan: plan({ challenges }) }).snapshot.edge.proofs).toEqual({ http, alpn: [] });
  expect(build({}).snapshot.edge).not.toHaveProperty('proofs');
});

test('desiredContent: served releases first, then prepared ones; what is served is kept', () => {
  const sites = [site({ prepare: [R2, R1], serving: R1 }), site({ prepare: [R3], serving: '' })];
  const geo = { databases: [{ digest: GEO6, sizeBytes: 7n }] };
  const served: Served = {
    ...{ ...NOTHING_SERVED, databases: [GEO4] },
    releases: new Map([
      ['u1', R3],
      ['u2', R3],
    ]),
  };
  expect(desiredContent(plan({ sites, geo }), [served, NOTHING_SERVED])).toEqual({
    releases: [R1, R2, R3],
    blobs: [{ digest: GEO6, sizeBytes: 7 }],
    variants: [],
    keepReleases: [R3],
    keepBlobs: [GEO4],
  });
});

function digest(text: string): Digest {
  return digestOf(Buffer.from(text));
}

function plan(objects: Partial<PlanObjects>): PlanObjects {
  const none = { sites: [], certificates: new Map(), zones: [], nodes: [], challenges: [] };
  return { ...none, geo: undefined, dns: undefined, ...objects };
}

function site(fields: Partial<SitePlan>): SitePlan {
  const named = { uid: 'u1', name: 'blog', hosts: ['blog.test'] };
  return { ...SitePlan.fromPartial({}), ...named, ...fields };
}

function certificate(fields: Partial<CertificatePlan>): CertificatePlan {
  return { ...CertificatePlan.fromPartial({}), names: ['blog.test'], ...fields };
}

function build(input: Partial<SnapshotInput>) {
  return buildSnapshot({
    plan: plan({}),
    content: { verified: new Set(), blobs: new Set(), variants: new Map() },
    previous: NOTHING_SERVED,
    node: 'london',
    health: {},
    sequence: 1,
    nowMs: NOW_MS,
    ...input,
  });
}
