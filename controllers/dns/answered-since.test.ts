import { expect, test } from 'vitest';
import type { GeoNameRecord } from '../../runtime/store/records.ts';
import { answeredSince } from './answered-since.ts';

function name(parts: Partial<GeoNameRecord> = {}): GeoNameRecord {
  return {
    ...{ name: 'blog.example.com', siteUid: 'u', ttlS: 30, candidates: ['a'] },
    ...{ policy: 'nearest', answersMax: 1, weights: [], ...parts },
  };
}

test.each<{ when: string; names: GeoNameRecord; previous?: GeoNameRecord; since?: number }>([
  { when: 'the zone is new', names: name(), since: 7 },
  { when: 'the name is new', names: name(), previous: name({ name: 'a.test' }), since: 7 },
  { when: 'nobody was named before', names: name(), previous: name({ candidates: [] }), since: 7 },
  {
    when: 'others were named while a CA looked',
    ...{ names: name(), previous: name({ candidates: ['b'], standIn: 'proof' }), since: 7 },
  },
  {
    when: 'it was another Site',
    names: name(),
    previous: name({ siteUid: 'v', since: 3 }),
    since: 7,
  },
  {
    when: 'other nodes were named',
    ...{ names: name(), previous: name({ candidates: ['b'], since: 3 }), since: 3 },
  },
  { when: 'nobody knows since when', names: name(), previous: name() },
  { when: 'nobody is named', names: name({ candidates: [] }), previous: name({ since: 3 }) },
  { when: 'a CA looks', names: name({ standIn: 'proof' }), previous: name({ since: 3 }) },
])('since when a name is answered: $when', ({ names, previous, since }) => {
  const [found] = answeredSince([names], previous && [previous], 7);
  expect(found).toEqual(since === undefined ? names : { ...names, since });
});
