import { afterEach, expect, test, vi } from 'vitest';
import { RecentMap } from './recent-map.ts';

afterEach(() => vi.restoreAllMocks());

test('it forgets what was not asked for the longest', () => {
  const map = new RecentMap<string, { readonly is: number }>(2);
  map.set('a', { is: 1 });
  map.set('b', { is: 2 });
  expect(map.get('a')).toEqual({ is: 1 });
  map.set('c', { is: 3 });
  expect([map.get('a')?.is, map.get('b')?.is, map.get('c')?.is, map.size]).toEqual([
    ...[1, undefined, 3, 2],
  ]);
});

test('it has the order of a Map whose entries are taken out and put in again', () => {
  const map = new RecentMap<number, { readonly step: number }>(8);
  let model: (readonly [key: number, step: number])[] = [];
  let seed = 7;
  const draw = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (seed >> 12) % below;
  };
  for (let step = 0; step < 20_000; step += 1) {
    const key = draw(12);
    const known = model.find(([each]) => each === key);
    const others = model.filter(([each]) => each !== key);
    switch (draw(5)) {
      case 0:
        expect(map.takeOldest()?.step).toBe(model[0]?.[1]);
        model = model.slice(1);
        break;
      case 1:
      case 2:
        expect(map.set(key, { step })?.step).toBe(known?.[1]);
        model = [...others, [key, step] as const].slice(-8);
        break;
      default:
        expect(map.get(key)?.step).toBe(known?.[1]);
        if (known !== undefined) model = [...others, known];
    }
    expect(map.size).toBe(model.length);
  }
});

/** V8 looks through the marks of all that was taken out with the same key, see above the class. */
test('asking for what there is takes nothing out and puts nothing in', () => {
  const map = new RecentMap<string, object>();
  for (const key of ['a', 'b', 'c']) map.set(key, {});
  const changes = [vi.spyOn(Map.prototype, 'set'), vi.spyOn(Map.prototype, 'delete')];
  for (const key of ['a', 'a', 'b', 'c', 'a']) expect(map.get(key)).toBeDefined();
  map.set('b', {});
  for (const each of changes) expect(each).not.toHaveBeenCalled();
});
