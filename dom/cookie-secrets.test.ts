import { expect, test } from 'vitest';
import { silentLog } from '../runtime/log.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import { Mirror } from '../runtime/store/mirror.ts';
import { Writer } from '../runtime/store/writer.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { COOKIE_SECRET_MS, keepCookieSecrets, nextSecrets } from './cookie-secrets.ts';
import { planView } from './gateway/view.ts';

const secret = (sealedKey: string) => ({ sealedKey });
const made = { sinceMs: 1000, active: secret('a'), next: secret('b') };
const make = () => secret('new');

test.each([
  {
    when: 'there is none',
    current: undefined,
    nowMs: 5,
    next: { sinceMs: 5, active: secret('new'), next: secret('new') },
  },
  { when: 'it is new', current: made, nowMs: 1000 + COOKIE_SECRET_MS - 1, next: undefined },
  {
    when: 'it is a day old: the next one takes over, and this one is still accepted',
    current: made,
    nowMs: 1000 + COOKIE_SECRET_MS,
    next: {
      sinceMs: 1000 + COOKIE_SECRET_MS,
      active: secret('b'),
      next: secret('new'),
      previous: secret('a'),
    },
  },
  { when: 'the clock was set back', current: made, nowMs: 0, next: undefined },
])('secrets when $when', ({ current, nowMs, next }) => {
  expect(nextSecrets(current, { nowMs, make })).toEqual(next);
});

test('secrets are sealed in the store, change each day, and go to nameservers alone', async () => {
  const clock = virtualClock();
  let drawn = 0;
  const bytes = (count: number) => new Uint8Array(count).fill((drawn += 1));
  const random = { next: () => 0.5, bytes };
  const store = memoryStore({ clock });
  const stop = new AbortController();
  const world = new Mirror({ store, clock, random, log: silentLog });
  const mirroring = world.run(stop.signal);
  const writer = new Writer({ store, clock, random, fence: () => [] });
  const sealer = {
    seal: (text: string, context: string) => `${context}:${Buffer.from(text).toString('hex')}`,
    open: () => '',
  };
  const keep = async (): Promise<string> => {
    const { outcome } = await keepCookieSecrets({ world, writer, clock, random, sealer });
    await clock.advance(1000);
    return outcome;
  };
  expect([await keep(), await keep()]).toEqual(['written', 'unchanged']);
  const first = world.record('dnsCookie', 'current')?.value;
  expect(first?.active.sealedKey).toMatch(/^dns-cookie:/);
  await clock.advance(COOKIE_SECRET_MS);
  expect(await keep()).toBe('written');
  const second = world.record('dnsCookie', 'current')?.value;
  expect(second).toMatchObject({ active: first?.next, previous: first?.active });

  const openKey = ({ sealedKey }: { readonly sealedKey: string }, context: string) =>
    Buffer.from(sealedKey.slice(context.length + 1), 'hex').toString();
  const viewed = (nameserver: 'nameserver' | 'edge') =>
    planView(
      world,
      { node: 'x', edge: nameserver === 'edge', nameserver: nameserver === 'nameserver' },
      openKey,
    ).map((entry) => entry.make().object);
  expect(viewed('edge')).toEqual([]);
  const [plan] = viewed('nameserver');
  const secrets = plan?.$case === 'dns' ? plan.value.cookieSecrets : [];
  expect(secrets.map(({ length }) => length)).toEqual([16, 16, 16]);
  expect(new Set(secrets.map((each) => each[0])).size).toBe(3);
  stop.abort();
  await mirroring;
});
