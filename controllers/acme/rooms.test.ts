import { expect, test } from 'vitest';
import type { Acme } from '../../runtime/acme/acme.ts';
import type { Controller } from '../../runtime/control/controller.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import type { Scene } from '../test-scene.ts';
import { LANE_MAX, ORDERS_MAX } from './context.ts';
import { acmeController } from './controller.ts';
import { Lanes } from './lanes.ts';
import { Rooms } from './rooms.ts';
import { acmeScene, DIRECTORY, finish } from './test-acme.ts';

function rooms(taken: { orders: number }) {
  const called: string[] = [];
  const call = (name: string) => void called.push(name);
  return { called, rooms: new Rooms({ max: 2, taken: () => taken.orders, call }) };
}

test('who finds no room is called once, in the order of coming, and finds it then', () => {
  const taken = { orders: 1 };
  const at = rooms(taken);
  const came = ['a', 'b', 'c'].map((name) => at.rooms.enter('x', name));
  expect(came).toEqual(['given', 'full', 'full']);
  at.rooms.callNext();
  expect(at.called).toEqual([]);
  at.rooms.leave('a');
  expect(at.called).toEqual(['b']);
  expect(at.rooms.enter('x', 'late')).toBe('full');
  expect(at.rooms.enter('x', 'b')).toBe('given');
  taken.orders = 0;
  at.rooms.callNext();
  at.rooms.callNext();
  expect(at.called).toEqual(['b', 'c']);
});

test('a place that is given up goes to the next; who goes elsewhere waits here no longer', () => {
  const at = rooms({ orders: 1 });
  for (const name of ['a', 'b', 'c', 'd']) at.rooms.enter('x', name);
  expect(at.rooms.enter('y', 'b')).toBe('given');
  at.rooms.leave('c');
  at.rooms.leave('a');
  expect(at.called).toEqual(['d']);
  expect([at.rooms.isGiven('d'), at.rooms.isWaiting('d'), at.rooms.isGiven('c')]).toEqual([
    true,
    false,
    false,
  ]);
});

test('a lane: so many at a time, and the rest in turn, also when one of them fails', async () => {
  const called: string[] = [];
  const lanes = new Lanes(1, (name) => void called.push(name));
  const ends: (() => void)[] = [];
  const work = () => new Promise<void>((_, reject) => ends.push(() => reject(new Error('no'))));
  const first = lanes.run({ lane: 'x', name: 'a' }, work);
  expect(await lanes.run({ lane: 'x', name: 'b' }, work)).toBe('busy');
  expect(await lanes.run({ lane: 'y', name: 'c' }, async () => 'done')).toBe('done');
  ends[0]?.();
  await expect(first).rejects.toThrow('no');
  expect(called).toEqual(['b']);
  expect(await lanes.run({ lane: 'x', name: 'd' }, work)).toBe('busy');
  lanes.looked('b');
  expect(called).toEqual(['b', 'd']);
});

const NAMES = 1_000;

/** A thousand Certificates at a CA that hangs at one step; counts how often orders are looked at. */
async function crowd(step: 'createOrder' | 'readAuthorization') {
  const looks = { all: 0 };
  const acmeOf = (at: Scene): Acme => ({
    ...at.acme,
    [step]: (...given: readonly unknown[]) =>
      at.clock.sleep(3_600_000, given.at(-1) as AbortSignal),
  });
  const at = await acmeScene({ controllers: 'none', nodes: ['a'] });
  const inner = acmeController({ ...at, acme: acmeOf(at) });
  const counting: Controller = {
    ...inner,
    reconcile(name, signal) {
      if (name.startsWith('order:')) looks.all += 1;
      return inner.reconcile(name, signal);
    },
  };
  at.start(counting);
  const acme = { directory: DIRECTORY, termsOfServiceAgreed: true };
  await at.create('Issuer', 'letsencrypt', { acme });
  await finish(at, 1_000);
  const operations = Array.from({ length: NAMES }, (_, index): Operation => {
    const spec = { names: [`n${index}.example.com`], issuer: 'letsencrypt', keyType: 'ecdsa-p256' };
    const metadata = { namespace: 'default', name: `n${index}` };
    return { kind: 'create', object: { kind: 'Certificate', metadata, spec } };
  });
  for (let from = 0; from < NAMES; from += 50)
    await at.commit(...operations.slice(from, from + 50));
  return { at, looks };
}

test.each(['createOrder', 'readAuthorization'] as const)(
  'a thousand names wait for a CA that hangs at %s, and nobody looks in vain',
  { timeout: 60_000 },
  async (step) => {
    const { at, looks } = await crowd(step);
    await at.clock.advance(10_000);
    const open = at.world.records('acmeOrder').length;
    expect(open).toBeGreaterThanOrEqual(LANE_MAX);
    expect(open).toBeLessThanOrEqual(ORDERS_MAX);
    const before = looks.all;
    expect(before).toBeGreaterThanOrEqual(NAMES);
    expect(before).toBeLessThan(2 * NAMES);
    await at.clock.advance(10_000);
    expect(looks.all - before).toBeLessThan(LANE_MAX);
    // One that hangs takes 25 s, so that a few hundred have their turn in ten minutes.
    await at.clock.advance(600_000);
    expect(looks.all).toBeLessThan(10 * NAMES);
    await at.end();
  },
);
