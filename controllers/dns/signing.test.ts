import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { type Scene, scene } from '../test-scene.ts';
import { dnsController } from './controller.ts';
import { DNSKEY_TTL_S, publicKeys } from './plan-signing.ts';

const ZONE = 'default/example';
const HOUR_MS = 3_600_000;
const PARENT_TTL_S = 7200;

interface Signed {
  readonly at: Scene;
  /** Everything that nameservers were told, they say they serve. */
  serve(...nodes: readonly string[]): Promise<void>;
  declare(dnssec: object): Promise<void>;
  /** What is said, in one line: phase, condition, DS records. */
  said(): string;
  tags(): readonly number[];
}

async function signedZone(origin = 'example.com'): Promise<Signed> {
  const at = await scene();
  at.start(dnsController(at));
  for (const name of ['a', 'b']) {
    await at.node(name);
    await at.connect(name);
  }
  await at.create('Zone', 'example', { origin, dnssec: { mode: 'signed' } });
  const zone = (): Zone | undefined =>
    at.world.get('Zone', { namespace: 'default', name: 'example' });
  return {
    at,
    async serve(...nodes) {
      const uid = zone()?.metadata.uid ?? '';
      const { serial = 0, keys = [] } = at.world.record('zone', ZONE)?.value ?? {};
      const keyTags = keys.map(({ keyTag }) => keyTag);
      for (const node of nodes.length > 0 ? nodes : ['a', 'b'])
        await at.report(node, { zones: [{ uid, serial, error: '', keyTags }] });
    },
    declare: (dnssec) =>
      at.configure('Zone', 'example', {
        dnssec: { mode: 'signed', keyGeneration: 1, parentTtlS: PARENT_TTL_S, ...dnssec },
      }),
    said() {
      const { dnssec, ds, conditions } = zone()?.status ?? {};
      const condition = conditions?.find(({ type }) => type === 'DNSSEC');
      const roles = dnssec?.keys.map(({ role }) => role).join('+');
      const told = `${condition?.status} ${condition?.reason}`;
      return `${dnssec?.phase} ${roles}, DS of ${ds?.map(({ keyTag }) => keyTag)}: ${told}`;
    },
    tags: () => at.world.record('signing', ZONE)?.value.keys.map(({ keyTag }) => keyTag) ?? [],
  };
}

test('a zone is signed, its key takes over, and signing ends, each step by its time', async () => {
  const { at, serve, declare, said, tags } = await signedZone();
  const [first = 0] = tags();
  const message = () =>
    at.world
      .get('Zone', { namespace: 'default', name: 'example' })
      ?.status?.conditions?.find(({ type }) => type === 'DNSSEC')?.message;
  expect(said()).toBe('signing active, DS of : Unknown Signing');
  expect(message()).toContain('once a, b serve it');
  // One nameserver that does not sign yet would make the zone bogus.
  await serve('a');
  await at.clock.advance(48 * HOUR_MS);
  expect(said()).toContain('signing');
  await serve('b');
  await at.clock.advance(DNSKEY_TTL_S * 1000);
  expect(said()).toContain('signing');
  await at.clock.advance(HOUR_MS);
  expect(said()).toBe(`steady active, DS of ${first}: False DSAwaited`);
  expect(message()).toMatch(
    new RegExp(`^give the registrar of example.com this DS record .*: ${first} 13 2 [0-9A-F]{64};`),
  );
  await declare({ parentDs: [first] });
  expect(said()).toBe(`steady active, DS of ${first}: True Secured`);

  await declare({ parentDs: [first], keyGeneration: 2 });
  const [, second = 0] = tags();
  expect(said()).toBe(`publishing active+published, DS of ${first}: True KeyPublishing`);
  await serve();
  await at.clock.advance(2 * HOUR_MS);
  expect(said()).toBe(`swapping active+published, DS of ${second}: True DSAwaited`);
  await serve();
  // However long the registrar takes.
  await at.clock.advance(1000 * HOUR_MS);
  await declare({ parentDs: [first, second], keyGeneration: 2 });
  expect(said()).toContain('swapping');
  await declare({ parentDs: [second], keyGeneration: 2 });
  expect(said()).toContain('True KeySwapping');
  await at.clock.advance(PARENT_TTL_S * 1000);
  expect(said()).toContain('swapping');
  await at.clock.advance(61_000);
  expect(said()).toBe(`retiring retired+active, DS of ${second}: True KeyRetiring`);
  await serve();
  await at.clock.advance(2 * HOUR_MS);
  expect(said()).toBe(`steady active, DS of ${second}: True Secured`);
  expect(tags()).toEqual([second]);

  await declare({ mode: 'off', parentDs: [second], keyGeneration: 2 });
  expect(said()).toBe('withdrawing active, DS of : True DSRemovalAwaited');
  await serve();
  await at.clock.advance(1000 * HOUR_MS);
  expect(said()).toContain('withdrawing');
  await declare({ mode: 'off', parentDs: [], keyGeneration: 2 });
  expect(said()).toContain('True Withdrawing');
  await at.clock.advance(PARENT_TTL_S * 1000 + 61_000);
  expect(said()).toBe('undefined undefined, DS of undefined: undefined undefined');
  expect(at.world.records('signing')).toEqual([]);
  expect(at.world.record('zone', ZONE)?.value).not.toHaveProperty('keys');
  await at.end();
});

test('every change of keys is a new version of the zone (INV-22), which holds none but them', async () => {
  const { at, serve, declare } = await signedZone();
  const served = () => at.world.record('zone', ZONE)?.value;
  const before = served()?.serial ?? 0;
  await serve();
  await at.clock.advance(2 * HOUR_MS);
  expect(served()?.serial).toBeGreaterThan(before);
  await declare({ keyGeneration: 7 });
  const signing = at.world.record('signing', ZONE)?.value;
  expect(signing?.keys.map(({ generation }) => generation)).toEqual([1, 7]);
  expect(served()?.keys).toEqual(signing && publicKeys(signing));
  expect(JSON.stringify(served())).not.toContain('sealed');
  await at.end();
});

test('without a nameserver it says what is missing, and no step is taken', async () => {
  const { at, said } = await signedZone();
  for (const name of ['a', 'b']) await at.configure('Node', name, { roles: ['edge'] });
  await at.clock.advance(48 * HOUR_MS);
  expect(said()).toContain('signing');
  const conditions = at.world.list('Zone')[0]?.status?.conditions ?? [];
  const message = conditions.find(({ type }) => type === 'DNSSEC')?.message;
  expect(message).toContain('once a nameserver serves it, there will be a DS record');
  await at.end();
});

test('a nameserver that is away holds the next step up, one that is removed does not', async () => {
  const { at, serve, said } = await signedZone();
  await serve('a');
  await at.disconnect('b');
  await at.clock.advance(48 * HOUR_MS);
  expect(said()).toContain('signing');
  await at.remove('Node', 'b');
  await serve('a');
  await at.clock.advance(2 * HOUR_MS);
  expect(said()).toContain('steady');
  await at.end();
});

test('a nameserver that serves the version without its keys does not count as serving it', async () => {
  const { at, serve } = await signedZone();
  await serve();
  const zone = () => at.world.get('Zone', { namespace: 'default', name: 'example' });
  expect(zone()?.status?.servedBy).toEqual({ current: 2, total: 2 });
  // An older sub takes no notice of keys, and reports the serial all the same.
  const serial = at.world.record('zone', ZONE)?.value.serial ?? 0;
  const report = { uid: zone()?.metadata.uid ?? '', serial, error: '' };
  for (const keyTags of [undefined, [], [1]]) {
    await at.report('b', { zones: [{ ...report, ...(keyTags && { keyTags }) }] });
    expect(zone()?.status?.servedBy).toEqual({ current: 1, total: 2 });
    const ready = zone()?.status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toContain('b (it serves the zone without its keys: update sub there)');
  }
  await at.end();
});

test('signing does not begin to count while a nameserver does not sign', async () => {
  const { at, serve, said } = await signedZone();
  await serve('a');
  const uid = at.world.list('Zone')[0]?.metadata.uid ?? '';
  const serial = at.world.record('zone', ZONE)?.value.serial ?? 0;
  await at.report('b', { zones: [{ uid, serial, error: '' }] });
  await at.clock.advance(48 * HOUR_MS);
  expect(said()).toContain('signing');
  await serve('b');
  await at.clock.advance(2 * HOUR_MS);
  expect(said()).toContain('steady');
  await at.end();
});

test('before the parent was told of a key, signing ends at once', async () => {
  const { at, declare } = await signedZone();
  await declare({ mode: 'off' });
  expect(at.world.records('signing')).toEqual([]);
  await at.end();
});

test('a change of mind keeps the keys that the parent knows', async () => {
  const { at, serve, declare, said, tags } = await signedZone();
  await serve();
  await at.clock.advance(2 * HOUR_MS);
  const [first] = tags();
  await declare({ mode: 'off' });
  expect(said()).toContain('withdrawing');
  await declare({ parentDs: [first] });
  expect(said()).toBe(`steady active, DS of ${first}: True Secured`);
  expect(tags()).toEqual([first]);
  await declare({ keyGeneration: 2, parentDs: [first] });
  await declare({ mode: 'off', keyGeneration: 2, parentDs: [first] });
  expect(said()).toBe('withdrawing active+published, DS of : True DSRemovalAwaited');
  await declare({ keyGeneration: 2, parentDs: [first] });
  expect(said()).toBe(`publishing active+published, DS of ${first}: True KeyPublishing`);
  await at.end();
});

test('keys go with their Zone, and a Zone that moves or comes again has others', async () => {
  const { at, tags } = await signedZone();
  const [first] = tags();
  await at.configure('Zone', 'example', { origin: 'example.net' });
  const [second] = tags();
  expect(second).not.toBe(first);
  await at.remove('Zone', 'example');
  expect(at.world.records('signing')).toEqual([]);
  await at.create('Zone', 'example', { origin: 'example.com', dnssec: { mode: 'signed' } });
  expect(tags()).not.toContain(second);
  await at.end();
});

test('a Zone that is too large for its keys stays as it is', async () => {
  const origin = ['x', 'y', 'z'].map((each) => each.repeat(60)).join('.');
  const { at, serve, tags, said } = await signedZone(`${origin}.example`);
  await serve();
  await at.clock.advance(2 * HOUR_MS);
  // What is served holds every name whole.
  const records = Array.from({ length: 4500 }, (_, index) => ({
    ...{ name: `r${index}`, type: 'A', values: ['192.0.2.1'] },
  }));
  await at.configure('Zone', 'example', {
    ...{ records, dnssec: { mode: 'signed', keyGeneration: 2, parentTtlS: 60 } },
  });
  expect(tags()).toHaveLength(1);
  expect(said()).toContain('steady active');
  const conditions = at.world.list('Zone')[0]?.status?.conditions;
  expect(conditions?.[1]).toMatchObject({ reason: 'ZoneTooLarge' });
  const { keys } = at.world.record('zone', ZONE)?.value ?? {};
  expect(keys?.map(({ keyTag }) => keyTag)).toEqual(tags());
  await at.end();
});

test('at the fixed point nothing is written (INV-2)', async () => {
  const { at, serve } = await signedZone();
  await serve();
  await at.clock.advance(2 * HOUR_MS);
  await serve();
  const revision = await at.revision();
  at.start(dnsController(at));
  await at.clock.advance(240 * HOUR_MS);
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test('no private key stands in the open anywhere in the store (INV-33)', async () => {
  const { at, serve } = await signedZone();
  await serve();
  const { items } = await at.store.list('/b8s');
  // The sealer of scenes marks what it was given, and leaves it as it is.
  const open = items.filter(({ value }) => value.includes('PRIVATE KEY'));
  expect(open.map(({ key }) => key)).toEqual(['/b8s/system/signing/default/example']);
  expect(open[0]?.value).toContain('"sealedKey":"zone-key/');
  await at.end();
});
