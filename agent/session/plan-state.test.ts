import { describe, expect, test } from 'vitest';
import { Plan } from '../../proto/gen/b8s/v1/agent.ts';
import { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { planDigest } from '../../runtime/session/plan-digest.ts';
import { applyPlan, comparePositions, type HeldPlan } from './plan-state.ts';

const NOTHING = Plan.fromPartial({});
const at = (epoch: bigint, revision: bigint) => ({ epoch, revision });

describe('applyPlan', () => {
  test.each([
    { when: 'the revision is one lower', position: at(2n, 9n), kind: 'stale' },
    {
      when: 'the epoch is lower, though the revision is higher',
      position: at(1n, 99n),
      kind: 'stale',
    },
    { when: 'it is the position held', position: at(2n, 10n), kind: 'applied' },
    { when: 'the revision is one higher', position: at(2n, 11n), kind: 'applied' },
    {
      when: 'the epoch is higher, though the revision is lower',
      position: at(3n, 1n),
      kind: 'applied',
    },
  ])('says $kind to a snapshot when $when', ({ position, kind }) => {
    const held = holding(at(2n, 10n), ['a', 'b']);
    expect(applyPlan(held, snapshot(position, ['a', 'b'])).kind).toBe(kind);
  });

  test.each([
    { when: 'the base is what is held', base: at(2n, 10n), position: at(2n, 11n), kind: 'applied' },
    { when: 'the base is older', base: at(2n, 9n), position: at(2n, 11n), kind: 'gap' },
    { when: 'the base is newer', base: at(2n, 11n), position: at(2n, 12n), kind: 'gap' },
    { when: 'it is old altogether', base: at(2n, 8n), position: at(2n, 9n), kind: 'stale' },
    {
      when: 'it says the same position',
      base: at(2n, 10n),
      position: at(2n, 10n),
      kind: 'applied',
    },
  ])('says $kind to a delta when $when', ({ base, position, kind }) => {
    const held = holding(at(2n, 10n), ['a', 'b']);
    expect(applyPlan(held, delta(base, position, {})).kind).toBe(kind);
  });

  test('a delta on a fresh node is a gap', () => {
    expect(applyPlan(undefined, delta(at(1n, 1n), at(1n, 2n), {})).kind).toBe('gap');
  });

  test('a plan without a position is refused', () => {
    expect(applyPlan(undefined, Plan.fromPartial({})).kind).toBe('gap');
  });

  test('a delta removes, replaces and adds, in the order of the keys', () => {
    const held = holding(at(1n, 1n), ['b', 'd', 'c']);
    const plan = delta(at(1n, 1n), at(1n, 2n), { upserts: ['e', 'a'], removals: ['d'] });
    expect(keysOf(applyPlan(held, plan))).toEqual(['a', 'b', 'c', 'e']);
  });

  test('a snapshot replaces everything', () => {
    const held = holding(at(1n, 1n), ['a', 'b']);
    expect(keysOf(applyPlan(held, snapshot(at(1n, 2n), ['c'])))).toEqual(['c']);
  });

  test('what a snapshot says again stays the same object, so that nobody does its work again', () => {
    const held = holding(at(1n, 1n), ['a', 'b']);
    const verdict = applyPlan(held, snapshot(at(1n, 2n), ['a', 'c']));
    const after = verdict.kind === 'applied' ? verdict.held.objects : new Map();
    expect([after.get('a') === held.objects.get('a'), after.size]).toEqual([true, 2]);
  });

  test('what says nothing new leaves the held plan the very same', () => {
    const held = holding(at(1n, 1n), ['a']);
    expect(applyPlan(held, snapshot(at(1n, 1n), ['a']))).toEqual({ kind: 'applied', held });
    const verdict = applyPlan(held, delta(at(1n, 1n), at(1n, 1n), {}));
    expect(verdict.kind === 'applied' && verdict.held).toBe(held);
  });

  test('a snapshot of the position held replaces it where it says something else', () => {
    const held = holding(at(1n, 1n), ['a']);
    expect(keysOf(applyPlan(held, snapshot(at(1n, 1n), ['a', 'b'])))).toEqual(['a', 'b']);
  });

  test('a delta that does not add up to its digest is a gap; the right digest passes', () => {
    const held = holding(at(1n, 1n), ['a']);
    const plan = delta(at(1n, 1n), at(1n, 2n), { upserts: ['b'] });
    const wrong = applyPlan(held, { ...plan, digest: 'f'.repeat(64) });
    expect(wrong).toMatchObject({ kind: 'gap', cause: 'mismatch' });
    const digest = planDigest(objects(['a', 'b']));
    expect(applyPlan(held, { ...plan, digest }).kind).toBe('applied');
  });

  test('where even a snapshot has another digest (version skew), deltas are taken unchecked', () => {
    const strange = { ...snapshot(at(1n, 1n), ['a']), digest: 'f'.repeat(64) };
    const first = applyPlan(undefined, strange);
    expect(first).toMatchObject({ kind: 'applied', held: { digestCheck: 'differed' } });
    const held = first.kind === 'applied' ? first.held : undefined;
    const plan = { ...delta(at(1n, 1n), at(1n, 2n), { upserts: ['b'] }), digest: 'e'.repeat(64) };
    expect(keysOf(applyPlan(held, plan))).toEqual(['a', 'b']);
  });
});

test('comparePositions orders by epoch, then by revision', () => {
  expect(comparePositions(at(1n, 9n), at(2n, 1n))).toBeLessThan(0);
  expect(comparePositions(at(2n, 2n), at(2n, 1n))).toBeGreaterThan(0);
  expect(comparePositions(at(2n, 2n), at(2n, 2n))).toBe(0);
});

type At = ReturnType<typeof at>;

function objects(keys: readonly string[]): ReadonlyMap<string, PlanObject> {
  return new Map(keys.map((key) => [key, PlanObject.fromPartial({ key })]));
}

function holding(position: At, keys: readonly string[]): HeldPlan {
  return { position, objects: objects(keys), digestCheck: 'agreed' };
}

function snapshot(position: At, keys: readonly string[]): Plan {
  const upserts = [...objects(keys).values()];
  return { ...NOTHING, position, upserts, digest: planDigest(objects(keys)) };
}

function delta(
  base: At,
  position: At,
  change: { readonly upserts?: readonly string[]; readonly removals?: readonly string[] },
): Plan {
  const upserts = [...objects(change.upserts ?? []).values()];
  return { ...NOTHING, base, position, upserts, removals: change.removals ?? [] };
}

function keysOf(verdict: ReturnType<typeof applyPlan>): readonly string[] {
  return verdict.kind === 'applied' ? [...verdict.held.objects.keys()] : [];
}
