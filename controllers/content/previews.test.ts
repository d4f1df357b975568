import { expect, test } from 'vitest';
import type { Certificate } from '../../api/certificate.ts';
import { previewDigits } from '../../api/previews.ts';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import { digest, object, served, view } from '../test-scene.ts';
import { planPreviews, previewsReady } from './previews.ts';
import { planReleases } from './releases.ts';

const [R1, R2, R3] = [digest('1'), digest('2'), digest('3')];

function site(previews: object = { domain: 'preview.example.com', keep: 2 }): Site {
  const spec = { hosts: ['blog.example.com'], content: { release: R1 }, previews };
  return object('Site', 'blog', spec, { status: { release: R1 } });
}

/** Published at that second. */
function release(name: string, atS: number, owner: string | undefined = 'blog'): Release {
  const creationTimestamp = new Date(1e12 + atS * 1000).toISOString();
  const ownerReferences =
    owner === undefined ? [] : [{ kind: 'Site', name: owner, uid: `uid-site-${owner}` }];
  const spec = { site: owner ?? 'blog', files: 1, sizeBytes: 1 };
  return object('Release', name, spec, { metadata: { creationTimestamp, ownerReferences } });
}

const releases = [release(R1, 1), release(R2, 2), release(R3, 3)];

function edge(name: string, previews: readonly string[], connected = true, generation = 1) {
  return view(name, {
    connected,
    report: {
      sites: [{ ...served(site(), R1), generation, previews: previews.map(previewDigits) }],
    },
  });
}

function certificate(status: object, names = ['*.preview.example.com']): Certificate {
  const Ready = { type: 'Ready', observedGeneration: 1, lastTransitionTime: '', ...status };
  const spec = { names, issuer: 'internal' };
  return object('Certificate', 'previews.preview.example.com', spec, {
    status: { conditions: [Ready] },
  });
}

const ISSUED = certificate({ status: 'True', reason: 'Issued', message: 'good' });

const facts = (changed: object = {}) => ({
  ...{ site: site(), releases, certificate: ISSUED, dns: undefined },
  ...{ edges: [edge('a', [R2, R3]), edge('b', [R3])], ...changed },
});

test('the newest releases have an address each, and it is told who answers there', () => {
  const url = (name: string) => `https://${name.slice(7, 19)}--blog.preview.example.com/`;
  expect(planPreviews(facts())).toEqual([
    { release: R3, url: url(R3), ready: 2, total: 2 },
    { release: R2, url: url(R2), ready: 1, total: 2 },
  ]);
});

test.each([
  {
    when: 'the newest one is of another site',
    changed: { releases: [release(R1, 1), release(R2, 2), release(R3, 3, 'shop')] },
    kept: [R2, R1],
  },
  {
    when: 'the newest one was pushed and is nobody’s yet',
    changed: { releases: [release(R1, 1), release(R3, 3, undefined)] },
    kept: [R3, R1],
  },
])('those that count when $when', ({ changed, kept }) => {
  expect(planPreviews(facts(changed)).map((each) => each.release)).toEqual(kept);
});

test('a Site that asks for none has none, and says nothing of them', () => {
  const without: Site = object('Site', 'blog', { hosts: ['blog.example.com'] });
  expect(planPreviews(facts({ site: without }))).toEqual([]);
  expect(previewsReady(facts({ site: without }), [])).toBeUndefined();
});

test.each([
  {
    when: 'one node lacks a release',
    changed: {},
    reason: 'Distributing',
    says: 'waiting for b to have all of them',
  },
  {
    when: 'one says why',
    changed: {
      edges: [
        view('a', {
          report: { sites: [{ ...served(site(), R1), previewError: 'the disk is full' }] },
        }),
      ],
    },
    reason: 'Distributing',
    says: 'waiting for a (the disk is full) to have all of them',
  },
  {
    when: 'all have all',
    changed: { edges: [edge('a', [R2, R3]), edge('b', [], false)] },
    reason: 'Answered',
    says: '2 releases below preview.example.com on 1/1 nodes',
  },
  {
    when: 'a nameserver does not know of them yet',
    changed: {
      edges: [edge('a', [R2, R3])],
      dns: { status: 'False', reason: 'Propagating', message: 'waiting for n to answer for it' },
    },
    reason: 'Propagating',
    says: 'waiting for n to answer for it',
  },
  {
    when: 'a node lacks one, and a nameserver does not know of them',
    changed: { dns: { status: 'False', reason: 'Propagating', message: 'waiting for n' } },
    reason: 'Distributing',
    says: 'waiting for b',
  },
  {
    when: 'what was answered was perhaps of another domain',
    changed: { edges: [edge('a', [R2, R3], true, 0)] },
    reason: 'Distributing',
    says: 'waiting for a',
  },
  { when: 'nothing is published', changed: { releases: [] }, reason: 'NoReleases', says: 'push' },
  {
    when: 'no edge is there',
    changed: { edges: [edge('a', [], false)] },
    reason: 'EdgesSilent',
    says: 'no edge is connected',
  },
  {
    when: 'there is no certificate',
    changed: { certificate: undefined },
    reason: 'CertificateNotFound',
    says: 'about to be made',
  },
  {
    when: 'the certificate is of other names',
    changed: { certificate: certificate({ status: 'True' }, ['*.example.com']) },
    reason: 'HostsNotCovered',
    says: 'add it to spec.names',
  },
  {
    when: 'the certificate cannot be had',
    changed: {
      certificate: certificate({
        status: 'False',
        reason: 'IssuerNotFound',
        message: 'declare it',
      }),
    },
    reason: 'IssuerNotFound',
    says: 'Certificate previews.preview.example.com: declare it',
  },
])('PreviewsReady says $reason when $when', ({ changed, reason, says }) => {
  const given = facts(changed);
  const condition = previewsReady(given, planPreviews(given));
  expect(condition).toMatchObject({ type: 'PreviewsReady', reason });
  expect(condition?.message).toContain(says);
});

test('a release with a preview is kept, whatever spec.rollout.keep says', () => {
  const status = { release: R1, previews: planPreviews(facts()) };
  const planned = { ...site(), status };
  const none = { ...planned, spec: { ...planned.spec, rollout: { keep: 0 } } } as unknown as Site;
  const plan = planReleases({
    site: none,
    sites: [none],
    releases: [...releases, release(digest('0'), 0)],
  });
  expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual([digest('0')]);
});
