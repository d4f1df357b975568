import { describe, expect, test } from 'vitest';
import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import { desired } from './content.fixture.ts';
import {
  ageGarbage,
  COLLECT_GRACE_MS,
  type ContentAction,
  type Manifest,
  type ObservedContent,
  planContent,
} from './plan.ts';

const R1 = digest('release 1');
const R2 = digest('release 2');
const A = digest('a');
const B = digest('b');
const GEO = digest('geo');

const NOTHING: ObservedContent = {
  blobs: new Map(),
  parts: new Set(),
  markers: new Set(),
  manifests: new Map(),
  forms: new Map(),
  strays: [],
};

describe('planContent', () => {
  test.each<{ when: string; observed: Partial<ObservedContent>; actions: readonly string[] }>([
    { when: 'nothing is there', observed: {}, actions: ['fetch R1', 'fetch GEO'] },
    {
      when: 'only the manifest is there',
      observed: { blobs: sizes({ R1: 5 }), manifests: manifests({ R1: { A: 1, B: 2 } }) },
      actions: ['fetch A', 'fetch B', 'fetch GEO'],
    },
    {
      when: 'one blob has another size than the manifest says',
      observed: {
        blobs: sizes({ R1: 5, A: 1, B: 1 }),
        manifests: manifests({ R1: { A: 1, B: 2 } }),
      },
      actions: ['fetch B', 'fetch GEO'],
    },
    {
      when: 'all is there but not marked',
      observed: { blobs: sizes({ R1: 5, A: 1, GEO: 9 }), manifests: manifests({ R1: { A: 1 } }) },
      actions: ['mark R1'],
    },
    {
      when: 'all is there and marked',
      observed: {
        blobs: sizes({ R1: 5, A: 1, GEO: 9 }),
        manifests: manifests({ R1: { A: 1 } }),
        markers: new Set([R1]),
      },
      actions: [],
    },
    {
      when: 'it is marked, but a blob went missing',
      observed: {
        blobs: sizes({ R1: 5, GEO: 9 }),
        manifests: manifests({ R1: { A: 1 } }),
        markers: new Set([R1]),
      },
      actions: ['unmark R1', 'fetch A'],
    },
    {
      when: 'the manifest is broken: nothing more can be done for it',
      observed: {
        blobs: sizes({ R1: 5, GEO: 9 }),
        manifests: new Map([[R1, { kind: 'broken', why: 'line 1' }]]),
      },
      actions: [],
    },
    {
      when: 'the database has another size',
      observed: {
        blobs: sizes({ R1: 5, GEO: 8 }),
        manifests: manifests({ R1: {} }),
        markers: new Set([R1]),
      },
      actions: ['fetch GEO'],
    },
  ])('when $when', ({ observed, actions }) => {
    const wanted = desired({ releases: [R1], blobs: [{ digest: GEO, sizeBytes: 9 }] });
    const ages = { nowMs: 0, garbageSinceMs: new Map() };
    expect(planContent(wanted, { ...NOTHING, ...observed }, ages).map(textOf)).toEqual(actions);
  });

  test('a blob that two releases share is fetched once, manifests first', () => {
    const observed = {
      ...NOTHING,
      blobs: sizes({ R2: 5 }),
      manifests: manifests({ R2: { A: 1, B: 2 } }),
    };
    const wanted = desired({ releases: [R2, R1], blobs: [{ digest: A, sizeBytes: 1 }] });
    const ages = { nowMs: 0, garbageSinceMs: new Map() };
    expect(planContent(wanted, observed, ages).map(textOf)).toEqual([
      'fetch R1',
      'fetch A',
      'fetch B',
    ]);
  });

  test.each([
    { when: 'nothing else is there', here: {}, fetched: ['R1 needed', 'GEO needed', 'R2 helpful'] },
    {
      when: 'all else is there',
      here: { R1: 5, GEO: 9 },
      fetched: ['R2 helpful'],
    },
    {
      when: 'the index is, too',
      here: { R1: 5, GEO: 9, R2: 7 },
      fetched: ['A helpful', 'B helpful'],
    },
    { when: 'a form is cut', here: { R1: 5, GEO: 9, R2: 7, A: 1, B: 1 }, fetched: ['B helpful'] },
    { when: 'all is', here: { R1: 5, GEO: 9, R2: 7, A: 1, B: 2 }, fetched: [] },
  ])('compressed forms come last: when $when', ({ here, fetched }) => {
    const observed: ObservedContent = {
      ...NOTHING,
      blobs: sizes(here),
      manifests: 'R1' in here ? manifests({ R1: {} }) : new Map(),
      forms: 'R2' in here ? new Map([[R2, FORMS]]) : new Map(),
      markers: 'R1' in here ? new Set([R1]) : new Set(),
    };
    const blobs = [{ digest: GEO, sizeBytes: 9 }];
    const wanted = desired({ releases: [R1], blobs, variants: [R2] });
    const actions = planContent(wanted, observed, { nowMs: 0, garbageSinceMs: new Map() });
    const fetches = actions.flatMap((each) => (each.kind === 'fetch' ? [each] : []));
    expect(fetches.map(({ digest, need }) => `${nameOf(digest)} ${need}`)).toEqual(fetched);
    // None of it is garbage while it is wanted.
    expect(ageGarbage(wanted, observed, { nowMs: 0, garbageSinceMs: new Map() }).size).toBe(0);
    const unwanted = ageGarbage(desired({}), observed, { nowMs: 0, garbageSinceMs: new Map() });
    expect(unwanted.has(`blob ${R2}`)).toBe('R2' in here);
  });

  test.each([
    { when: 'just before the grace is over', ageMs: COLLECT_GRACE_MS - 1, collected: [] },
    {
      when: 'once it is over, the marker before the blobs',
      ageMs: COLLECT_GRACE_MS,
      collected: ['collect marker R2', 'collect blob B', 'collect blob R2', 'collect part GEO'],
    },
  ])('garbage goes $when', ({ ageMs, collected }) => {
    const observed = {
      ...NOTHING,
      blobs: sizes({ R1: 5, R2: 5, A: 1, B: 2 }),
      parts: new Set([GEO]),
      markers: new Set([R1, R2]),
      manifests: manifests({ R1: { A: 1 } }),
    };
    const wanted = desired({ releases: [R1] });
    const garbageSinceMs = ageGarbage(wanted, observed, { nowMs: 1000, garbageSinceMs: new Map() });
    const later = { nowMs: 1000 + ageMs, garbageSinceMs };
    const again = { ...later, garbageSinceMs: ageGarbage(wanted, observed, later) };
    expect(new Set(planContent(wanted, observed, again).map(textOf))).toEqual(new Set(collected));
  });

  test.each([
    { when: 'there is room', room: {}, kept: manifests({ R2: {} }), collected: [] },
    {
      when: 'there is none',
      room: { room: 'none' } as const,
      kept: manifests({ R2: {} }),
      collected: ['collect blob A'],
    },
    {
      when: 'there is none, and what is served has lost its manifest',
      room: { room: 'none' } as const,
      kept: manifests({}),
      collected: [],
    },
  ])('garbage without grace: $when', ({ room, kept, collected }) => {
    const markers = new Set(kept.keys());
    const observed = { ...NOTHING, blobs: sizes({ R2: 5, A: 1 }), manifests: kept, markers };
    const wanted = desired({ keepReleases: [R2] });
    const ages = { nowMs: 5, garbageSinceMs: new Map([[`blob ${A}`, 5]]), ...room };
    expect(planContent(wanted, observed, ages).map(textOf)).toEqual(collected);
  });

  test('what is kept is neither fetched nor collected', () => {
    const observed = {
      ...NOTHING,
      blobs: sizes({ R2: 5, B: 2, GEO: 9 }),
      markers: new Set([R2]),
      manifests: manifests({ R2: { B: 2 } }),
    };
    const wanted = desired({ keepReleases: [R2, R1], keepBlobs: [GEO] });
    const ages = { nowMs: 0, garbageSinceMs: new Map() };
    expect(ageGarbage(wanted, observed, ages).size).toBe(0);
    expect(planContent(wanted, observed, ages)).toEqual([]);
  });

  test('what was needed in between begins its grace anew', () => {
    const observed = { ...NOTHING, blobs: sizes({ A: 1 }) };
    const first = ageGarbage(desired({}), observed, { nowMs: 0, garbageSinceMs: new Map() });
    const used = ageGarbage(desired({ keepBlobs: [A] }), observed, {
      nowMs: 5,
      garbageSinceMs: first,
    });
    const last = ageGarbage(desired({}), observed, { nowMs: 9, garbageSinceMs: used });
    expect([...last.values()]).toEqual([9]);
  });
});

const FORMS = [
  { coding: 'br', digest: A, sizeBytes: 1 },
  { coding: 'gzip', digest: B, sizeBytes: 2 },
] as const;

const NAMES: Readonly<Record<string, Digest>> = { R1, R2, A, B, GEO };

function digest(text: string): Digest {
  return digestOf(Buffer.from(text));
}

function nameOf(digest: Digest): string {
  return Object.keys(NAMES).find((name) => NAMES[name] === digest) ?? digest;
}

function sizes(blobs: Readonly<Record<string, number>>): ReadonlyMap<Digest, number> {
  return new Map(Object.entries(blobs).map(([name, sizeBytes]) => [NAMES[name]!, sizeBytes]));
}

function manifests(
  releases: Readonly<Record<string, Readonly<Record<string, number>>>>,
): ReadonlyMap<Digest, Manifest> {
  return new Map(
    Object.entries(releases).map(([name, files]) => {
      const listed = Object.entries(files).map(([path, sizeBytes]) => {
        return { path, digest: NAMES[path]!, sizeBytes, contentType: 'text/plain' };
      });
      return [NAMES[name]!, { kind: 'parsed', files: listed }];
    }),
  );
}

function textOf(action: ContentAction): string {
  switch (action.kind) {
    case 'mark':
    case 'unmark':
      return `${action.kind} ${nameOf(action.release)}`;
    case 'fetch':
      return `fetch ${nameOf(action.digest)}`;
    case 'collect':
      return action.item.kind === 'stray'
        ? `collect ${action.item.path}`
        : `collect ${action.item.kind} ${nameOf(action.item.digest)}`;
  }
}
