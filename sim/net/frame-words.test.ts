import { describe, expect, test } from 'vitest';
import {
  type Plan,
  type Report,
  SessionRequest,
  SessionResponse,
} from '../../proto/gen/b8s/v1/agent.ts';
import {
  CertificatePlan,
  GeoName,
  NodePlan,
  SitePlan,
  ZonePlan,
} from '../../proto/gen/b8s/v1/plan.ts';
import { frameWords } from './frame-words.ts';

const position = { epoch: 3n, revision: 41n };
const base = { epoch: 3n, revision: 39n };

describe('what sub says', () => {
  const cases: readonly { when: string; message: SessionRequest['message']; what: string }[] = [
    {
      when: 'it says hello and holds a plan',
      message: { $case: 'hello', value: hello({ held: base, heldDigest: 'sha256-ab' }) },
      what: 'hello of london, held (3, 39)',
    },
    {
      when: 'it is fresh',
      message: { $case: 'hello', value: hello({ held: undefined, heldDigest: '' }) },
      what: 'hello of london, held nothing, wants all',
    },
    {
      when: 'it lives',
      message: { $case: 'heartbeat', value: { sequence: 7n } },
      what: 'heartbeat',
    },
    {
      when: 'it has nothing to report',
      message: { $case: 'report', value: report({}) },
      what: 'report: applied (3, 41)',
    },
    {
      when: 'it reports all there is',
      message: {
        $case: 'report',
        value: report({
          sites: [site('blog', ['a', 'b'], ''), site('docs', ['c'], 'blob c is missing')],
          zones: [{ uid: 'z', name: 'example-test', serial: 9, error: 'too large', keyTags: [] }],
          peers: [
            { node: 'sydney', reachable: false },
            { node: 'tokyo', reachable: true },
          ],
        }),
      },
      what:
        'report: applied (3, 41), 2 sites, verified 3, zones example-test 9, ' +
        'out of reach: sydney, errors: docs: blob c is missing and 1 more',
    },
    { when: 'it says nothing', message: undefined, what: 'an empty message' },
  ];
  test.each(cases)('$when', ({ message, what }) => {
    const bytes = SessionRequest.encode({ message }).finish();
    expect(frameWords('sub', bytes).what).toBe(what);
  });
});

describe('what dom says', () => {
  test('a delta, with what goes and what comes', () => {
    const value = plan({ upserts: [{ key: 'site/default/blog', object: undefined }], base });
    expect(words({ ...value, removals: ['node/tokyo'] }).what).toBe(
      'plan (3, 41): +site/default/blog -node/tokyo, base (3, 39)',
    );
  });

  test('a snapshot of more than fits in a line', () => {
    const upserts = Array.from({ length: 9 }, (_, n) => ({ key: `node/${n}`, object: undefined }));
    expect(words(plan({ upserts })).what).toBe(
      'plan (3, 41): +node/0 +node/1 +node/2 +node/3 +node/4 +node/5 and 3 more, whole',
    );
  });

  test('objects in a few words each', () => {
    const upserts: Plan['upserts'] = [
      {
        key: 'site/default/blog',
        object: {
          $case: 'site',
          value: {
            ...SitePlan.create(),
            hosts: ['blog.test'],
            serving: 'r1',
            prepare: ['r1', 'r2'],
          },
        },
      },
      {
        key: 'zone/default/test',
        object: {
          $case: 'zone',
          value: {
            ...ZonePlan.create(),
            serial: 4,
            geoNames: [geoName('blog.test', ['london']), geoName('docs.test', [])],
          },
        },
      },
      {
        key: 'node/london',
        object: {
          $case: 'node',
          value: { ...NodePlan.create(), roles: ['edge'], unschedulable: true },
        },
      },
    ];
    expect(words(plan({ upserts })).fields).toMatchObject({
      objects: [
        'site/default/blog: blog.test serves r1, prepares r1 r2',
        'zone/default/test: serial 4, blog.test at london; docs.test at nobody',
        'node/london: NOT ready, unschedulable, edge',
      ],
    });
  });

  test('a private key is in no word of it (INV-33)', () => {
    const value = {
      ...CertificatePlan.create(),
      ...{ name: 'blog', names: ['blog.test'], fingerprint: 'ab12' },
      ...{ keyPem: '-----BEGIN PRIVATE KEY-----secret', chainPem: 'chain' },
    };
    const object = { $case: 'certificate' as const, value };
    const told = words(plan({ upserts: [{ key: 'certificate/default/blog', object }] }));
    expect(JSON.stringify(told)).toContain('blog.test ab12');
    expect(JSON.stringify(told)).not.toMatch(/secret|PRIVATE|chain/);
  });
});

test('bytes that are no message are told as such', () => {
  expect(frameWords('sub', Uint8Array.of(0xff, 0xff, 0xff)).what).toBe(
    '3 bytes that are no message',
  );
});

function geoName(name: string, candidates: readonly string[]): GeoName {
  return { ...GeoName.create(), name, candidates };
}

function words(value: Plan): { what: string; fields: object } {
  const message = { $case: 'plan' as const, value };
  return frameWords('dom', SessionResponse.encode({ message }).finish());
}

function plan(some: Partial<Plan>): Plan {
  return {
    ...{ position, base: undefined, upserts: [], removals: [], digest: 'd' },
    ...{ heartbeatIntervalMs: 1_500, ...some },
  };
}

function report(some: Partial<Report>): Report {
  return {
    ...{ applied: position, sites: [], zones: [], peers: [], conditions: [] },
    ...{ rssBytes: 0n, geo: [], challenges: [], ...some },
  };
}

function site(name: string, verified: string[], error: string): Report['sites'][number] {
  return {
    ...{ uid: name, namespace: 'default', name, generation: 1n, serving: 'a', verified },
    ...{ certificate: '', error, warning: '', previews: [], previewError: '' },
  };
}

function hello(some: { held: typeof base | undefined; heldDigest: string }) {
  return { node: 'london', agentVersion: 'sim', capabilities: [], ...some };
}
