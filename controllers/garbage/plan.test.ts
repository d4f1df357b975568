import { expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import { digest, object } from '../test-scene.ts';
import { isOrphan, isVoidClaim } from './plan.ts';

const R1 = digest('1');
const owners = (...names: readonly string[]) => ({
  metadata: { ownerReferences: names.map((name) => ({ kind: 'Site', name, uid: name })) },
});
const release = (...names: readonly string[]): Resource =>
  object('Release', R1, { site: 'blog', files: 1, sizeBytes: 1 }, owners(...names));

test.each([
  { when: 'it never had an owner', of: release(), orphan: false },
  { when: 'its owner is there', of: release('here'), orphan: false },
  { when: 'one of its owners is there', of: release('gone', 'here'), orphan: false },
  { when: 'its owner is gone', of: release('gone'), orphan: true },
  { when: 'all of its owners are gone', of: release('gone', 'lost'), orphan: true },
  {
    when: 'its owner is gone, and a new Site names it',
    of: release('gone'),
    wanted: [R1],
    orphan: false,
  },
])('isOrphan when $when', ({ of, orphan, wanted = [] }) => {
  const exists = ({ uid }: { readonly uid: string }) => uid === 'here';
  expect(isOrphan({ object: of, exists, wantedReleases: new Set(wanted) })).toBe(orphan);
});

const site: Site = object('Site', 'blog', { hosts: ['a.example.com'] });
const claim = { siteUid: site.metadata.uid, namespace: 'default', name: 'blog' };

test.each([
  { when: 'its Site has the host', host: 'a.example.com', by: site, isVoid: false },
  { when: 'its Site is gone', host: 'a.example.com', by: undefined, isVoid: true },
  { when: 'its Site gave the host up', host: 'b.example.com', by: site, isVoid: true },
  {
    when: 'its Site is another one of that name',
    host: 'a.example.com',
    by: { ...site, metadata: { ...site.metadata, uid: 'new' } },
    isVoid: true,
  },
])('isVoidClaim when $when', ({ host, by, isVoid }) => {
  expect(isVoidClaim(host, claim, by)).toBe(isVoid);
});
