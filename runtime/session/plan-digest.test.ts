import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { SortedMap } from '../store/sorted-map.ts';
import { combinedDigest, objectDigest, planDigest, rememberedPlanDigest } from './plan-digest.ts';

const london = node('london', true);
const paris = node('paris', true);

test('planDigest does not depend on the order of insertion', () => {
  expect(planDigest(new Map([london, paris]))).toBe(planDigest(new Map([paris, london])));
});

test.each([
  { when: 'an object is missing', other: [london] },
  { when: 'a field differs', other: [london, node('paris', false)] },
  { when: 'a key differs', other: [london, ['node/rome', paris[1]] as const] },
])('planDigest differs when $when', ({ other }) => {
  expect(planDigest(new Map(other))).not.toBe(planDigest(new Map([london, paris])));
});

test('planDigest is what its doc says', () => {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const inner = sha256(PlanObject.encode(london[1]).finish());
  const whole = Buffer.concat([Buffer.from('node/london\0'), inner, Buffer.from('\n')]);
  expect(planDigest(new Map([london]))).toBe(sha256(whole).toString('hex'));
  expect(planDigest(new Map())).toBe(sha256(Buffer.alloc(0)).toString('hex'));
});

test('of two versions of a plan, only what differs is digested', () => {
  const digested: string[] = [];
  const digest = rememberedPlanDigest((object) => {
    digested.push(object.key);
    return objectDigest(object);
  });
  const nodes = Array.from({ length: 10_000 }, (_, index) => node(`n${index}`, true));
  const before = SortedMap.from(nodes);
  expect(digest(before)).toBe(planDigest(new Map(nodes)));
  expect(digested).toHaveLength(10_000);
  const after = before.with({ entries: [node('n7919', false)], removals: ['node/n1'] });
  expect(digest(after)).toBe(planDigest(new Map(after)));
  expect(digested.slice(10_000)).toEqual(['node/n7919']);
  const digests = new Map([...after].map(([key, object]) => [key, objectDigest(object)]));
  expect(combinedDigest(digests)).toBe(digest(after));
});

function node(name: string, ready: boolean): readonly [string, PlanObject] {
  const key = `node/${name}`;
  return [key, PlanObject.fromPartial({ key, object: { $case: 'node', value: { name, ready } } })];
}
