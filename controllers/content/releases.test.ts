import { expect, test } from 'vitest';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import { object } from '../test-scene.ts';
import { planReleases } from './releases.ts';

const RELEASES_KEPT = 10;

const name = (index: number) => `sha256-${String(index).padStart(64, '0')}`;

function site(siteName = 'blog', desired = 1, serving = 1): Site {
  return object(
    'Site',
    siteName,
    { hosts: ['a.b'], content: { release: name(desired) } },
    {
      status: { release: name(serving) },
    },
  );
}

/** Number 1 is the newest. */
function release(
  index: number,
  options: { owners?: readonly string[]; site?: string } = {},
): Release {
  const { owners = ['blog'], site: siteName = 'blog' } = options;
  return object(
    'Release',
    name(index),
    { site: siteName, files: 1, sizeBytes: 1 },
    {
      metadata: {
        creationTimestamp: new Date(1e12 - index * 1000).toISOString(),
        ownerReferences: owners.map((owner) => ({
          kind: 'Site',
          name: owner,
          uid: `uid-site-${owner}`,
        })),
      },
    },
  );
}

function planned(releases: readonly Release[], sites: readonly Site[] = [site()]) {
  const plan = planReleases({ site: sites[0]!, sites, releases });
  const numbers = (list: readonly Release[]) =>
    list.map((each) => Number(each.metadata.name.slice(7)));
  return {
    adopt: numbers(plan.adopt),
    release: numbers(plan.release),
    remove: numbers(plan.remove),
  };
}

const many = (count: number, options = {}) =>
  Array.from({ length: count }, (_, index) => release(index + 1, options));
const nothing = { adopt: [], release: [], remove: [] };

test('the release in use and ten more are kept, the oldest go', () => {
  expect(planned(many(RELEASES_KEPT + 1))).toEqual(nothing);
  expect(planned(many(RELEASES_KEPT + 3))).toEqual({ ...nothing, remove: [12, 13] });
});

test('an old release that is desired or served is not removed', () => {
  const sites = [site('blog', 13, 12)];
  expect(planned(many(14), sites)).toEqual({ ...nothing, remove: [11, 14] });
});

test("what it names is adopted, and what was pushed for it and is nobody's", () => {
  expect(planned([release(1, { owners: [] }), release(2, { owners: [] })]).adopt).toEqual([1, 2]);
  expect(planned([release(1, { owners: ['other'], site: 'other' })]).adopt).toEqual([1]);
  expect(planned([release(2, { owners: ['other'] })]).adopt).toEqual([]);
  expect(planned([release(2, { owners: [], site: 'other' })]).adopt).toEqual([]);
});

test('one that another Site owns too is let go of, not removed, and not adopted again', () => {
  const shared = release(12, { owners: ['blog', 'other'] });
  expect(planned([...many(11), shared])).toEqual({ ...nothing, release: [12] });
  expect(planned([...many(11), release(12, { owners: ['other'] })])).toEqual(nothing);
});

test('one that another Site names is kept, though it does not own it yet', () => {
  expect(planned(many(12), [site(), site('other', 12, 12)])).toEqual(nothing);
});
