import { expect, test } from 'vitest';
import type { EdgeSite } from '../../../agent/edge/snapshot.ts';
import { objectKey, recordKey } from '../../../runtime/store/keys.ts';
import type { AppliedSnapshot } from '../check.ts';
import { answersCheck } from './answers.ts';
import {
  addressOf,
  appliedZone,
  commitOf,
  exchangeOf,
  MACHINES,
  watched,
  zoneVersion,
} from './dns.fixture.ts';

const HOST = 'blog.example.test';

test('a name that was answered is answered for good', () => {
  const { asks, found } = scene();
  asks('empty');
  asks('london');
  asks('empty');
  expect(found).toEqual([`INV-21: london answers an empty set for ${HOST}, which it knew`]);
});

test('but not if whoever served it was removed by hand', () => {
  const { asks, serves, removes, found } = scene();
  asks('london');
  removes('london');
  asks('empty');
  expect(found).toEqual([]);
  // The nameserver may not know of the removal yet, ...
  asks('london');
  // ... and another may serve before dom, which tells the nameserver, knows of it.
  serves('tokyo');
  asks('empty');
  expect(found).toEqual([]);
  asks('tokyo');
  asks('empty');
  expect(found).toHaveLength(1);
});

test('and if one of two is removed, the other is answered', () => {
  const { asks, serves, removes, found } = scene();
  serves('tokyo');
  asks('london');
  removes('london');
  asks('empty');
  expect(found).toHaveLength(1);
});

test('nor if whoever dom knew of was removed, though another serves of which no dom was told', () => {
  const { asks, serves, names, removes, found } = scene();
  serves('tokyo');
  names(['london']);
  asks('london');
  removes('london');
  names([]);
  asks('empty');
  expect(found).toEqual([]);
  names(['tokyo']);
  asks('tokyo');
  names([]);
  asks('empty');
  expect(found).toHaveLength(1);
});

test('nor if its Site was deleted', () => {
  const { asks, deletes, found } = scene();
  asks('london');
  deletes('blog');
  asks('empty');
  expect(found).toEqual([]);
});

test('nor if who served it had not heard that its Site was deleted, and there is another by now', () => {
  const { asks, serves, deletes, hears, names, found } = scene();
  deletes('blog');
  serves('london');
  hears('london');
  names(['london']);
  asks('london');
  asks('empty');
  expect(found).toEqual([]);
  serves('london');
  asks('london');
  asks('empty');
  expect(found).toHaveLength(1);
});

test('nor if the zone is another by now, and what was made of the one before is gone', () => {
  const { asks, deletesZone, deletesRecord, found } = scene();
  deletesZone();
  // Up to date, and still with the zone: dom clears up some time later.
  asks('london');
  deletesRecord();
  asks('london');
  asks('empty');
  expect(found).toEqual([]);
});

test('nor if it was only named for a CA to find its proof, and has no certificate', () => {
  const { asks, serves, bares, found } = scene();
  bares('tokyo', undefined);
  serves('tokyo');
  asks('tokyo');
  asks('empty');
  expect(found).toEqual([]);
  bares('tokyo', 'a fingerprint');
  serves('tokyo');
  asks('tokyo');
  asks('empty');
  expect(found).toHaveLength(1);
});

/** A nameserver in london that is up to date; london serves the site. */
function scene() {
  const { check, found } = watched((ports) => answersCheck({ ...ports, machines: MACHINES }));
  let revision = 1n;
  const remove = (key: string): void => {
    revision += 1n;
    const transaction = { guards: [], writes: [{ kind: 'delete', key }] as const };
    check.committed?.({ revision, transaction, before: new Map(), process: 'dom#1' });
  };
  const answer = { status: 200, headers: [], body: '' };
  const serves = (node: string): void =>
    check.requested?.({ node, host: HOST, path: '/', answer, namedBy: undefined });
  const hears = (node: string): void =>
    check.moved?.({ node, which: 'applied', position: { epoch: 1n, revision } });
  for (const node of ['london', 'tokyo']) hears(node);
  serves('london');
  return {
    found,
    serves,
    hears,
    bares: (node: string, certificate: string | undefined) =>
      check.applied?.(appliedSite(node, certificate)),
    /** dom writes the zone anew, with these for the site. */
    names(candidates: readonly string[]) {
      const [blog] = zoneVersion(1).geoNames;
      if (blog === undefined) throw new Error('the fixture has lost its geo name');
      const geoNames = [{ ...blog, candidates: [...candidates], weights: [] }];
      check.committed?.(commitOf(zoneVersion(2, { geoNames })));
    },
    removes: (name: string) => remove(objectKey({ kind: 'Node', name })),
    deletesZone() {
      remove(objectKey({ kind: 'Zone', namespace: 'default', name: 'example-test' }));
      hears('london');
    },
    deletesRecord: () => remove(recordKey('zone', 'default/example-test')),
    deletes: (name: string) => remove(objectKey({ kind: 'Site', namespace: 'default', name })),
    asks: (reply: 'empty' | 'london' | 'tokyo') =>
      check.asked?.(exchangeOf({}, reply === 'empty' ? {} : { answers: [addressOf(reply)] })),
  };
}

/** The node has the Site, and this certificate of it. */
function appliedSite(node: string, certificate: string | undefined): AppliedSnapshot {
  const applied = appliedZone(zoneVersion(1));
  const site = {
    uid: 'u',
    namespace: 'default',
    name: 'blog',
    hosts: [HOST],
  } as unknown as EdgeSite;
  const state = { uid: 'u', ...(certificate === undefined ? {} : { certificate }) };
  const { snapshot, report } = applied;
  return {
    node,
    snapshot: { ...snapshot, edge: { ...snapshot.edge, sites: [site] } },
    report: { ...report, sites: [state] },
  };
}
