import { expect, test } from 'vitest';
import { RENEW_REQUESTED } from '../../api/requests.ts';
import type { Acme } from '../../runtime/acme/acme.ts';
import { createFakeAcmeCa } from '../../runtime/acme/fake/ca.ts';
import { LETS_ENCRYPT_LIMITS } from '../../runtime/acme/limits.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import type { Scene } from '../test-scene.ts';
import { ORDERS_MAX } from './context.ts';
import { acmeController } from './controller.ts';
import {
  acmeScene,
  annotate,
  DAY_MS,
  DIRECTORY,
  everywhere,
  finish,
  issuanceOf,
  materialOf,
  order,
} from './test-acme.ts';
import { problemText } from './trouble.ts';

test('a certificate is ordered, proven by our own zone, and put where nodes get it', async () => {
  const at = await acmeScene();
  const names = ['example.com', '*.example.com'];
  await order(at, { names });
  expect(materialOf(at)).toMatchObject({ names, directory: 'https://ca.test/directory' });
  expect(at.ca.orders).toHaveLength(1);
  expect(at.world.records('acmeOrder')).toEqual([]);
  expect(texts(at)).toEqual([]);
  expect(issuanceOf(at)).toMatchObject({
    failures: 0,
    tries: [{ outcome: 'issued', issuer: 'letsencrypt', orderUrl: at.ca.orders[0]?.url }],
  });
  expect(at.events.notes.map(({ reason }) => reason)).toEqual(['CertificateIssued']);
  await at.end();
});

test('at the fixed point nothing is written, but what the CA says of renewal (INV-2)', async () => {
  const at = await acmeScene();
  await order(at);
  const revision = await at.revision();
  at.start(acmeController(at));
  await finish(at, 3_600_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test('the CA is not told to look before every nameserver has the proof', async () => {
  const at = await acmeScene({ nodes: ['a', 'b', 'c'], deaf: ['b'] });
  await order(at);
  expect(at.ca.asked.answerChallenge).toBeUndefined();
  expect(materialOf(at)).toBeUndefined();
  await at.disconnect('b');
  at.looks(async () => undefined);
  await finish(at, 90_000);
  expect(at.ca.asked.answerChallenge).toBe(1);
  expect(materialOf(at)).toBeDefined();
  expect(at.events.notes.map(({ reason }) => reason)).toContain('ProofNotEverywhere');
  await at.end();
});

test.each(['http-01', 'tls-alpn-01'])('%s: every edge has the proof first', async (challenge) => {
  const at = await acmeScene({ acme: { challenge } });
  const looked: string[] = [];
  at.looks(async (proof) => {
    looked.push(proof.type);
    return await everywhere(at)(proof);
  });
  await order(at, { names: ['a.example.com', 'www.elsewhere.test'] });
  expect(materialOf(at)).toBeDefined();
  expect(looked).toEqual([challenge, challenge]);
  expect(issuanceOf(at)?.tries).toHaveLength(1);
  await at.end();
});

test('left to itself: dns-01 where a zone of ours holds the name, else http-01', async () => {
  const at = await acmeScene();
  const looked: string[] = [];
  at.looks(async ({ type, name }) => {
    looked.push(`${type} ${name}`);
    return undefined;
  });
  await order(at, { names: ['a.example.com', 'www.elsewhere.test'] });
  expect(looked.toSorted()).toEqual(['dns-01 a.example.com', 'http-01 www.elsewhere.test']);
  await at.end();
});

test('an alias leads the proof into a zone of ours', async () => {
  const at = await acmeScene();
  const records = [
    { name: '_acme-challenge.a', type: 'CNAME', values: ['x.acme.test.'] },
    { name: '_acme-challenge.b', type: 'CNAME', values: ['proofs'] },
  ];
  await at.configure('Zone', 'example', { records });
  await at.create('Zone', 'acme', { origin: 'acme.test' });
  const names: string[] = [];
  at.looks(async () => {
    names.push(...texts(at));
    return undefined;
  });
  await order(at, { names: ['a.example.com', '*.b.example.com'] });
  expect(new Set(names)).toEqual(new Set(['x.acme.test', 'proofs.example.com']));
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('a wildcard without a zone of ours burns no order, and says what to do', async () => {
  const at = await acmeScene();
  await order(at, { names: ['*.elsewhere.test'] });
  expect(at.ca.orders).toEqual([]);
  expect(issuanceOf(at)?.failure).toMatchObject({ reason: 'selfCheck' });
  expect(issuanceOf(at)?.failure?.message).toContain('_acme-challenge.elsewhere.test');
  await at.create('Zone', 'elsewhere', { origin: 'elsewhere.test' });
  await finish(at, 900_000);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('one broken domain never delays fifty good ones (INV-5)', { timeout: 60_000 }, async () => {
  const at = await acmeScene({ nodes: ['a'] });
  const find = everywhere(at);
  at.looks(async (proof) => (proof.name.startsWith('bad') ? 'not found' : await find(proof)));
  await order(at, { name: 'bad', names: ['bad.example.com'], ms: 10 });
  for (let index = 0; index < 50; index += 1) {
    const object = { names: [`n${index}.example.com`], issuer: 'letsencrypt' };
    await at.create('Certificate', `n${index}`, object);
  }
  await finish(at, 20_000);
  const issued = at.world
    .list('Certificate')
    .filter(({ metadata }) => materialOf(at, metadata.name));
  expect(issued).toHaveLength(50);
  await finish(at, DAY_MS);
  expect(issuanceOf(at, 'bad')?.failures).toBeGreaterThan(5);
  expect(issuanceOf(at, 'bad')?.failures).toBeLessThan(14);
  expect(issuanceOf(at, 'bad')?.tries.at(-1)).toMatchObject({ unproven: ['bad.example.com'] });
  await at.end();
});

test('a hundred at once: each thing is asked for once, fifty orders at a time', {
  timeout: 30_000,
}, async () => {
  const at = await acmeScene({ nodes: ['a'] });
  let most = 0;
  at.world.subscribe(() => {
    most = Math.max(most, at.world.records('acmeOrder').length);
  });
  const operations = Array.from({ length: 100 }, (_, index): Operation => {
    const spec = { names: [`n${index}.example.com`], issuer: 'letsencrypt', keyType: 'ecdsa-p256' };
    const metadata = { namespace: 'default', name: `n${index}` };
    return { kind: 'create', object: { kind: 'Certificate', metadata, spec } };
  });
  for (let from = 0; from < 100; from += 50) await at.commit(...operations.slice(from, from + 50));
  await finish(at, 20_000);
  const all = { createOrder: 100, answerChallenge: 100, finalize: 100, download: 100 };
  expect(at.ca.asked).toMatchObject(all);
  expect(at.ca.asked.listOrders).toBeUndefined();
  expect(most).toBe(ORDERS_MAX);
  expect(at.world.records('material')).toHaveLength(100);
  await at.end();
});

test('what a CA says can be shown on a terminal', () => {
  const detail = 'no\u001b[2J\r\nsuch\u009bname';
  expect(problemText({ type: 'malformed', detail })).toBe(
    'the CA says malformed: no [2J such name',
  );
  expect(problemText({ type: 'malformed', detail: 'x'.repeat(9_999) })).toHaveLength(1_000);
});

test('one order that the CA chokes on does not hold the others up (INV-5)', async () => {
  const acmeOf = ({ acme }: Scene): Acme => ({
    ...acme,
    readOrder: async (...given) => {
      const found = await acme.readOrder(...given);
      if (found.names.includes('sick.example.com')) throw new Error('the answer is no ACME');
      return found;
    },
  });
  const at = await acmeScene({ nodes: ['a'], acmeOf });
  await order(at, { name: 'sick', names: ['sick.example.com'], ms: 30_000 });
  for (let index = 0; index < 10; index += 1) {
    await order(at, { name: `n${index}`, names: [`n${index}.example.com`], ms: 10_000 });
    expect(materialOf(at, `n${index}`)).toBeDefined();
  }
  expect(materialOf(at, 'sick')).toBeUndefined();
  await at.end();
});

test('a certificate that lives for two minutes is always good (INV-31)', {
  timeout: 60_000,
}, async () => {
  const at = await acmeScene({ nodes: ['a'] });
  const lifetimeMs = 120_000;
  // This CA dates them back by an hour, as some do.
  at.ca.set({ lifetimeMs: 3_600_000 + lifetimeMs, hasRenewalInfo: false });
  await order(at, { ms: 10_000 });
  let least = Infinity;
  for (let second = 0; second < 1_900; second += 1) {
    await at.clock.advance(1_000);
    least = Math.min(least, (materialOf(at)?.notAfterMs ?? 0) - at.clock.nowMs());
  }
  expect(least).toBeGreaterThan(lifetimeMs / 3);
  expect(at.ca.certificates.length).toBeGreaterThan(28);
  expect(at.ca.orders.length).toBe(at.ca.certificates.length);
  await at.end();
});

test('ninety days: renewed once, in time, and by what the CA says (INV-31)', {
  timeout: 60_000,
}, async () => {
  const at = await acmeScene({ nodes: ['a'] });
  await order(at);
  await finish(at, 55 * DAY_MS);
  expect(at.ca.certificates).toHaveLength(1);
  await finish(at, 5 * DAY_MS);
  expect(at.ca.certificates).toHaveLength(2);
  const [first] = at.ca.certificates;
  expect(at.ca.orders.at(-1)?.replaces).toBe(first?.serialNumber);
  const current = at.ca.certificates.at(-1);
  const nowMs = at.clock.nowMs();
  // The CA wants it replaced at once.
  at.ca.suggestRenewal(current?.serialNumber ?? '', { startMs: nowMs - 2, endMs: nowMs - 1 });
  await finish(at, 10 * DAY_MS);
  expect(at.ca.certificates).toHaveLength(3);
  await at.end();
});

test('renewed when a person asks, once for each request', async () => {
  const at = await acmeScene();
  await order(at);
  await annotate(at, 'Certificate', 'blog', { [RENEW_REQUESTED]: '2020-01-01T00:00:00Z' });
  await finish(at, 3_600_000);
  expect(at.ca.certificates).toHaveLength(2);
  await annotate(at, 'Certificate', 'blog', { [RENEW_REQUESTED]: '2099-01-01T00:00:00Z' });
  await finish(at, DAY_MS);
  expect(at.ca.certificates).toHaveLength(3);
  await at.end();
});

test('other names while it is ordered: the order is given up, and nothing of it stays', async () => {
  const at = await acmeScene({ deaf: ['b'] });
  await order(at, { names: ['old.example.com'] });
  expect(texts(at)).toEqual(['_acme-challenge.old.example.com']);
  await at.configure('Certificate', 'blog', { names: ['new.example.com'] });
  await finish(at, 200_000);
  expect(issuanceOf(at)?.tries[0]).toMatchObject({ outcome: 'abandoned' });
  expect(texts(at)).toEqual(['_acme-challenge.new.example.com']);
  await at.remove('Certificate', 'blog');
  await at.settle();
  expect(texts(at)).toEqual([]);
  for (const record of ['acmeOrder', 'issuance'] as const)
    expect(at.world.records(record)).toEqual([]);
  await at.remove('Issuer', 'letsencrypt');
  expect(at.world.records('acmeAccount')).toEqual([]);
  await finish(at, 9 * DAY_MS);
  expect(at.world.records('acmeCount')).toEqual([]);
  await at.end();
});

test('an order that comes no further is given up, and begun again later', {
  timeout: 30_000,
}, async () => {
  const at = await acmeScene();
  at.ca.set({ validationMsMax: 10 * DAY_MS, openMs: 20 * DAY_MS });
  await order(at, { ms: 2 * 3_600_000 });
  expect(issuanceOf(at)?.tries[0]).toMatchObject({ outcome: 'failed' });
  expect(issuanceOf(at)?.tries[0]?.detail).toContain('came no further');
  expect(materialOf(at)).toBeUndefined();
  await at.end();
});

test.each(['wrongNames', 'otherKey', 'expired', 'notYetValid', 'brokenChain'] as const)(
  'a good certificate is not replaced by one with the flaw %s (INV-29)',
  async (flaw) => {
    const at = await acmeScene();
    await order(at);
    const good = materialOf(at)?.fingerprint;
    at.ca.spoilNext(flaw);
    await annotate(at, 'Certificate', 'blog', { [RENEW_REQUESTED]: 'now' });
    await finish(at, 10_000);
    expect(materialOf(at)?.fingerprint).toBe(good);
    expect(issuanceOf(at)?.failure?.reason).toBe('badCertificate');
    await finish(at, 120_000);
    expect(materialOf(at)?.fingerprint).not.toBe(good);
    await at.end();
  },
);

test('a CA that is away: nobody asks it all the time, and then all goes on', async () => {
  const at = await acmeScene({ nodes: ['a'] });
  await at.settle();
  at.ca.setWeather({ faults: { unreachable: 1 }, flaws: {}, slowMsMax: 0 });
  for (const name of ['one', 'two', 'three', 'four'])
    await at.create('Certificate', name, { names: [`${name}.example.com`], issuer: 'letsencrypt' });
  await finish(at, 6_000_000);
  const asked = Object.values(at.ca.asked).reduce((sum, count) => sum + count, 0);
  expect(asked).toBeLessThan(60);
  at.ca.setWeather({ faults: {}, flaws: {}, slowMsMax: 0 });
  await finish(at, 1_300_000);
  for (const name of ['one', 'two', 'three', 'four']) expect(materialOf(at, name)).toBeDefined();
  expect(at.ca.orders).toHaveLength(4);
  await at.end();
});

test('after a few failures the fallback is asked', { timeout: 30_000 }, async () => {
  const at = await acmeScene({ nodes: ['a'], acme: { fallbacks: ['second'] } });
  const directory = 'https://second.test/directory';
  const second = createFakeAcmeCa({ ...at, directory, validate: async () => undefined });
  at.cas.push(second);
  await at.create('Issuer', 'second', { acme: { directory, termsOfServiceAgreed: true } });
  at.looks(async () => 'not found');
  await order(at, { ms: 1_800_000 });
  expect(issuanceOf(at)?.tries.map(({ issuer, outcome }) => `${issuer} ${outcome}`)).toEqual([
    ...Array(3).fill('letsencrypt failed'),
    'second issued',
  ]);
  await finish(at, 3_600_000);
  expect(second.certificates).toHaveLength(1);
  await at.end();
});

test('what a CA refuses as one too many, is asked of the fallback at once', async () => {
  const at = await acmeScene({ acme: { fallbacks: ['second'] } });
  const directory = 'https://second.test/directory';
  const second = createFakeAcmeCa({ ...at, directory, validate: async () => undefined });
  at.cas.push(second);
  await at.create('Issuer', 'second', { acme: { directory, termsOfServiceAgreed: true } });
  at.ca.set({ limits: { ...LETS_ENCRYPT_LIMITS, orders: { capacity: 1, refillMs: DAY_MS } } });
  for (const name of ['one', 'two']) await order(at, { name, names: [`${name}.org`], ms: 20_000 });
  expect(materialOf(at, 'two')?.directory).toBe(directory);
  expect(issuanceOf(at, 'two')).not.toHaveProperty('failure');
  second.close();
  await at.end();
});

test('what our own count says of a CA is heard before it is asked: the fallback is', async () => {
  const at = await acmeScene({
    acme: { fallbacks: ['second'] },
    acmeLimits: {
      [DIRECTORY]: { ...LETS_ENCRYPT_LIMITS, orders: { capacity: 2, refillMs: DAY_MS } },
    },
  });
  const directory = 'https://second.test/directory';
  const second = createFakeAcmeCa({ ...at, directory, validate: async () => undefined });
  at.cas.push(second);
  await at.create('Issuer', 'second', { acme: { directory, termsOfServiceAgreed: true } });
  for (const name of ['one', 'two', 'three']) await order(at, { name, names: [`${name}.org`] });
  expect(at.ca.asked.createOrder).toBe(2);
  expect(materialOf(at, 'three')?.directory).toBe(directory);
  expect(issuanceOf(at, 'three')).not.toHaveProperty('failure');
  second.close();
  await at.end();
});

function texts(at: Scene): readonly string[] {
  return at.world
    .records('zone')
    .flatMap(([, { value }]) => value.records)
    .filter(({ type }) => type === 'TXT')
    .map(({ name }) => name);
}
