import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Hello,
  type Plan,
  type Report,
  SessionRequest,
  SessionResponse,
} from '../proto/gen/b8s/v1/agent.ts';
import {
  NodePlan,
  type PlanObject,
  type Position,
  SitePlan,
  ZonePlan,
} from '../proto/gen/b8s/v1/plan.ts';
import type { BlobSource } from '../runtime/content/blob-source.ts';
import { blobPath, type Digest, digestOf } from '../runtime/content/digest.ts';
import { type MemoryDisk, memoryDisk } from '../runtime/disk/memory-disk.ts';
import type { Datagrams } from '../runtime/dns/datagrams.ts';
import { silentLog } from '../runtime/log.ts';
import type { Probe } from '../runtime/probe.ts';
import { type Link, LinkClosedError } from '../runtime/session/link.ts';
import { type LinkPair, linkPair } from '../runtime/session/memory-link.ts';
import { planDigest } from '../runtime/session/plan-digest.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { createAgent } from './agent.ts';
import { playedSource, release } from './content/content.fixture.ts';
import { letFail } from './logs/failing-disk.fixture.ts';
import { createInProcessPlane } from './plane/in-process-plane.ts';

const first = release({ 'index.html': 'first' });
const second = release({ 'index.html': 'second' });
const everything = new Map([...first.blobs, ...second.blobs]);

describe('agent', () => {
  test('serves what dom says, and reports it', async () => {
    const world = await start({});
    world.plan(1n, [site(first.digest)]);
    await world.until(async () => (await world.page()) === 'first');
    await world.until(async () => world.report()?.sites[0]?.serving === first.digest);
    expect(world.report()).toMatchObject({
      applied: at(1n),
      sites: [{ uid: 'u1', verified: [first.digest], error: '' }],
    });
    expect(world.report()?.conditions.every(({ status }) => status)).toBe(true);
    await world.stop();
  });

  test('keeps the old release until the new one is verified', async () => {
    const missing = new Map<Digest, Uint8Array>(first.blobs);
    const world = await start({ blobs: playedSource(missing) });
    world.plan(1n, [site(first.digest)]);
    await world.until(async () => (await world.page()) === 'first');
    world.plan(2n, [site(second.digest)]);
    await world.until(async () => world.report()?.applied?.revision === 2n);
    expect(await world.page()).toBe('first');
    await world.until(async () => world.report()?.sites[0]?.error !== '');
    for (const [digest, bytes] of second.blobs) missing.set(digest, bytes);
    await world.until(async () => (await world.page()) === 'second');
    await world.stop();
  });

  test('serves after a reboot without dom, also what the plan had already replaced', async () => {
    const disk = memoryDisk();
    const before = await start({ disk, blobs: playedSource(first.blobs) });
    before.plan(1n, [site(first.digest)]);
    await before.until(async () => (await before.page()) === 'first');
    before.plan(2n, [site(second.digest)]);
    await before.until(async () => before.report()?.applied?.revision === 2n);
    await before.stop();
    disk.crash();
    const after = await start({ disk, dom: 'away', blobs: playedSource(new Map()) });
    expect(await after.page()).toBe('first');
    expect(after.agent.state()).toMatchObject({ held: at(2n), applied: at(2n) });
    await after.stop();
  });

  test('put back to a version that cannot read the plan, waits for dom with its content kept', async () => {
    const disk = memoryDisk();
    const before = await start({ disk });
    before.plan(1n, [site(first.digest)]);
    await before.until(async () => (await before.page()) === 'first');
    await before.stop();
    const later = Buffer.from([0x0f]);
    const hash = createHash('sha256').update(later).digest();
    const bytes = Buffer.concat([Buffer.from([later.length, 0, 0, 0]), later, hash]);
    for (const path of ['plan.bin', 'served.bin']) await disk.write(path, bytes);

    const after = await start({ disk, blobs: playedSource(new Map()) });
    expect(after.hello()).toMatchObject({ held: undefined, heldDigest: '' });
    await after.clock.advance(3_600_000);
    expect(await after.page()).toBeUndefined();
    after.plan(1n, [site(first.digest)]);
    await after.until(async () => (await after.page()) === 'first');
    await after.stop();
  });

  test('proofs for CAs are answered and reported, also after a reboot without dom', async () => {
    const disk = memoryDisk();
    const before = await start({ disk });
    before.plan(1n, [challenge('new.test', 't1')]);
    await before.until(async () => before.report()?.challenges.join() === 't1');
    await before.stop();
    disk.crash();
    const after = await start({ disk, dom: 'away' });
    expect(await proof(after, 'new.test', 't1')).toBe('t1.x');
    await after.stop();

    const last = await start({ disk });
    last.plan(2n, []);
    await last.until(async () => last.report()?.applied?.revision === 2n);
    expect(last.report()?.challenges).toEqual([]);
    expect(await proof(last, 'new.test', 't1')).toBeUndefined();
    await last.stop();
  });

  test('says what it holds when it comes back', async () => {
    const disk = memoryDisk();
    const before = await start({ disk });
    expect(before.hello()).toMatchObject({ node: 'london', held: undefined, heldDigest: '' });
    before.plan(7n, [site(first.digest)]);
    await before.until(async () => before.agent.state().held?.revision === 7n);
    await before.stop();
    const after = await start({ disk });
    const heldDigest = planDigest(objects([site(first.digest)]));
    expect(after.hello()).toMatchObject({ held: at(7n), heldDigest });
    await after.stop();
  });

  test('never goes back to a plan of the past (INV-14), also across a restart', async () => {
    const disk = memoryDisk();
    const before = await start({ disk });
    before.plan(5n, [site(second.digest)]);
    await before.until(async () => (await before.page()) === 'second');
    before.plan(4n, [site(first.digest)]);
    await before.clock.advance(5000);
    expect(await before.page()).toBe('second');
    await before.stop();
    const after = await start({ disk });
    after.plan(4n, [site(first.digest)]);
    await after.clock.advance(1000);
    expect(await after.page()).toBe('second');
    expect(after.agent.state().held).toEqual(at(5n));
    await after.stop();
  });

  test('a plan whose content is there is served at once, while other content hangs', async () => {
    const large = release({ 'large.bin': 'x'.repeat(1000) });
    const blobs = playedSource(everything, (digest) =>
      large.blobs.has(digest) ? { hang: true } : {},
    );
    const world = await start({ blobs });
    world.plan(1n, [site(first.digest)]);
    await world.until(async () => (await world.page()) === 'first');
    world.plan(2n, [site(first.digest), site(large.digest, 'u2')]);
    await world.clock.advance(50);
    expect(world.agent.state().applied).toEqual(at(2n));
    world.plan(3n, [site(second.digest), site(large.digest, 'u2')]);
    await world.until(async () => (await world.page()) === 'second', 2000);
    await world.stop();
  });

  test('a plan that cannot be kept is not applied, and said; then dom sends it again', async () => {
    const world = await start({});
    world.plan(1n, [site(first.digest)]);
    await world.until(async () => (await world.page()) === 'first');
    world.disk.limit(0);
    world.plan(2n, [site(second.digest)]);
    await world.until(async () => {
      return (
        world.report()?.conditions.some(({ message }) => message.includes('no space')) === true
      );
    });
    expect(world.agent.state().held).toEqual(at(1n));
    expect(await world.page()).toBe('first');
    world.disk.limit(1_000_000);
    world.plan(2n, [site(second.digest)]);
    await world.until(async () => (await world.page()) === 'second');
    await world.stop();
  });

  test('removes the access log of a site that is gone, once the disk lets it (INV-7)', async () => {
    const [gone, kept] = ['logs/access/default/u1.u1.log', 'logs/access/default/u2.u2.log.1'];
    const disk = memoryDisk();
    for (const path of [gone, kept]) await disk.append(path, Buffer.from('a line\n'));
    let refusals = 0;
    letFail(disk, ({ path }) => {
      if (path !== gone || refusals === 3) return 'none';
      refusals += 1;
      return 'early';
    });
    const world = await start({ disk });
    world.plan(1n, [site(first.digest, 'u2')]);
    await world.until(async () => !disk.files().has(gone));
    expect(refusals).toBe(3);
    expect(disk.files().has(kept)).toBe(true);
    await world.stop();
  });

  test('never goes back to an older release, though the disk was full when it switched (INV-27)', async () => {
    const disk = memoryDisk();
    const write = disk.write.bind(disk);
    let servedFile: 'full' | 'free' = 'free';
    disk.write = async (path, bytes) => {
      if (path === 'served.bin' && servedFile === 'full') throw new Error('no space left');
      return write(path, bytes);
    };
    const third = release({ 'index.html': 'third' });
    const before = await start({ disk });
    before.plan(1n, [site(first.digest)]);
    await before.until(async () => (await before.page()) === 'first');
    servedFile = 'full';
    before.plan(2n, [site(second.digest)]);
    await before.until(async () => (await before.page()) === 'second');
    // What is served would be forgotten with the plan that says it.
    before.plan(3n, [site(third.digest)]);
    await before.clock.advance(5_000);
    await before.stop();
    disk.crash();
    const after = await start({ disk, dom: 'away' });
    expect(await after.page()).toBe('second');
    servedFile = 'free';
    await after.clock.advance(15_000);
    await after.stop();
    const later = await start({ disk });
    later.plan(3n, [site(third.digest)]);
    await later.until(async () => later.agent.state().held?.revision === 3n);
    expect(await later.page()).toBe('second');
    await later.stop();
  });

  test('a release that could not be read is tried again, with no further event', async () => {
    const disk = memoryDisk();
    const read = disk.read.bind(disk);
    let isBroken = false;
    disk.read = (path) =>
      isBroken && path === blobPath(second.digest)
        ? Promise.reject(new Error('input/output error'))
        : read(path);
    const world = await start({ disk });
    world.plan(1n, [site(first.digest), site(second.digest, 'u2')]);
    await world.until(async () => world.report()?.sites[1]?.serving === second.digest);
    isBroken = true;
    world.plan(2n, [site(second.digest), site(second.digest, 'u2')]);
    await world.until(async () => world.agent.state().applied?.revision === 2n);
    world.plan(3n, [site(first.digest)]);
    await world.until(async () => world.agent.state().applied?.revision === 3n);
    world.plan(4n, [site(second.digest)]);
    await world.until(async () => world.agent.state().applied?.revision === 4n);
    expect(await world.page()).toBe('first');
    isBroken = false;
    await world.until(async () => (await world.page()) === 'second', 30_000);
    await world.stop();
  });

  test('a geography database that could not be read is tried again, with no further event', async () => {
    const disk = memoryDisk();
    const bytes = readFileSync(join(import.meta.dirname, 'dns/testdata/GeoLite2-City-Test.mmdb'));
    const database = digestOf(bytes);
    const read = disk.read.bind(disk);
    let isBroken = true;
    disk.read = (path) =>
      isBroken && path === blobPath(database)
        ? Promise.reject(new Error('input/output error'))
        : read(path);
    const world = await start({ disk, blobs: playedSource(new Map([[database, bytes]])) });
    const databases = [{ digest: database, sizeBytes: BigInt(bytes.length) }];
    world.plan(1n, [{ key: 'geo/current', object: { $case: 'geo', value: { databases } } }]);
    await world.clock.advance(60_000);
    expect(world.report()?.geo).toEqual([]);
    isBroken = false;
    await world.until(async () => world.report()?.geo.includes(database) === true, 30_000);
    await world.stop();
  });

  test.each([
    { what: 'a file', digest: () => digestOf(Buffer.from('first')) },
    { what: 'a manifest', digest: () => first.digest },
  ])('$what that has rotted is never served, and fetched again', async ({ digest }) => {
    const disk = memoryDisk();
    const before = await start({ disk });
    before.plan(1n, [site(first.digest)]);
    await before.until(async () => before.report()?.sites[0]?.verified.length === 1);
    await before.stop();
    disk.rot(blobPath(digest()), 3);
    const world = await start({ disk });
    expect([undefined, 'first']).toContain(await world.page());
    await world.until(async () => (await world.page()) === 'first');
    await world.until(async () => world.report()?.sites[0]?.verified.length === 1);
    await world.stop();
  });

  test('what probes find out while a plan is taken over is not forgotten (INV-20)', async () => {
    const disk = memoryDisk();
    const write = disk.write.bind(disk);
    const dead = new Set<string>();
    const world = await start({ disk, probe: async ({ node: name }) => !dead.has(name) });
    disk.write = async (path, bytes) => {
      // Longer than it takes to find out.
      if (path === 'served.bin') await world.clock.sleep(8_000);
      return write(path, bytes);
    };
    world.plan(1n, [node('london'), node('tokyo'), site(first.digest), zone(['london', 'tokyo'])]);
    await world.until(async () => world.report()?.sites[0]?.verified.length === 1, 2_000);
    dead.add('tokyo');
    await world.until(async () => (await world.page()) === 'first');
    expect(world.report()?.peers).toContainEqual({ node: 'tokyo', reachable: false });
    const explained = await world.plane.explain({ name: 'u1.test', type: 'A', clientIp: '::1' });
    expect(explained).toMatchObject({ explanation: { answers: [ADDRESSES['london']] } });
    await world.stop();
  });

  test('secondaries are told once a version of their zone is served', async () => {
    const heard: string[] = [];
    const world = await start({
      datagrams: {
        exchange: async ({ address, port, from, message }) => {
          heard.push(`${from.join()} to ${address} ${port}: ${message.length}`);
          const reply = Buffer.from(message);
          reply.writeUInt16BE(0xa400, 2);
          return reply;
        },
      },
    });
    const secondaries = [{ address: '192.0.2.53', port: 5300, key: undefined }];
    const open = zone(['london']);
    const value = { ...ZonePlan.fromPartial({}), transfer: { secondaries, addresses: [] } };
    const declared = open.object?.$case === 'zone' ? open.object.value : value;
    const transferred = { ...declared, transfer: value.transfer };
    const object = { ...open, object: { $case: 'zone', value: transferred } } as const;
    world.plan(1n, [object, node('london')]);
    await world.until(async () => heard.length > 0);
    world.plan(2n, [object, node('london'), site(first.digest)]);
    await world.until(async () => world.report()?.applied?.revision === 2n);
    await world.clock.advance(60_000);
    expect(heard).toEqual(['192.0.2.1 to 192.0.2.53 5300: 80']);
    await world.stop();
  });

  test('a deleted site is gone, and its content in time', async () => {
    const world = await start({});
    world.plan(1n, [site(first.digest)]);
    await world.until(async () => (await world.page()) === 'first');
    world.plan(2n, []);
    await world.until(async () => (await world.page()) === undefined);
    await world.clock.advance(11 * 60_000);
    await world.until(
      async () => ![...world.disk.files().keys()].some((p) => p.startsWith('blobs')),
    );
    await world.stop();
  });

  test('a delta that does not add up is asked for again as a snapshot', async () => {
    const world = await start({});
    world.plan(1n, [site(first.digest)]);
    await world.until(async () => world.agent.state().held?.revision === 1n);
    const upserts = [site(second.digest)];
    world.say({ ...NO_PLAN, base: at(1n), position: at(2n), upserts, digest: 'f'.repeat(64) });
    await world.until(async () => world.dials() === 2);
    expect(world.hello()).toMatchObject({ held: at(1n), heldDigest: '' });
    expect(world.agent.state().held).toEqual(at(1n));
    await world.stop();
  });
});

const NO_PLAN: Plan = {
  ...{ position: undefined, base: undefined, upserts: [], removals: [] },
  ...{ digest: '', heartbeatIntervalMs: 0 },
};

function at(revision: bigint): Position {
  return { epoch: 1n, revision };
}

function site(serving: Digest, uid = 'u1'): PlanObject {
  const fields = { uid, namespace: 'default', name: uid, hosts: [`${uid}.test`], generation: 1n };
  const value = { ...SitePlan.fromPartial({}), ...fields, serving, prepare: [serving] };
  return { key: `site/default/${uid}`, object: { $case: 'site', value } };
}

function challenge(host: string, token: string): PlanObject {
  const http = [{ host, token, keyAuthorization: `${token}.x` }];
  return {
    key: 'challenge/c1',
    object: { $case: 'challenge', value: { uid: 'c1', http, alpn: [] } },
  };
}

async function proof(
  { plane }: Awaited<ReturnType<typeof start>>,
  host: string,
  token: string,
): Promise<unknown> {
  const path = `/.well-known/acme-challenge/${token}`;
  const answer = await plane.request({ method: 'GET', path, host, headers: {}, secure: false });
  return answer.status === 200 ? answer.body : undefined;
}

function node(name: string): PlanObject {
  const fields = { name, uid: name, ipv4: [ADDRESSES[name] ?? ''], ready: true };
  const value = { ...NodePlan.fromPartial({}), ...fields, roles: ['edge', 'nameserver'] };
  return { key: `node/${name}`, object: { $case: 'node', value } };
}

function zone(candidates: readonly string[]): PlanObject {
  const names = { origin: 'test', primaryNameserver: 'ns.test', mailbox: 'hostmaster.test' };
  const common = { ttlS: 30, policy: 'nearest', answersMax: 2, weights: [], regions: [] };
  const geoNames = [{ ...common, name: 'u1.test', candidates }];
  const value = { ...ZonePlan.fromPartial({}), ...names, uid: 'zone', geoNames };
  return { key: 'zone/default/test', object: { $case: 'zone', value } };
}

const ADDRESSES: Readonly<Record<string, string>> = { london: '192.0.2.1', tokyo: '192.0.2.2' };

function objects(list: readonly PlanObject[]): ReadonlyMap<string, PlanObject> {
  return new Map(list.map((object) => [object.key, object]));
}

interface Given {
  readonly disk?: MemoryDisk;
  readonly blobs?: BlobSource;
  readonly dom?: 'there' | 'away';
  readonly probe?: Probe['probe'];
  readonly datagrams?: Datagrams;
}

/** An agent on a simulated machine, with a dom that is played by the test. */
async function start({
  disk = memoryDisk(),
  blobs = playedSource(everything),
  dom = 'there',
  probe = async () => true,
  datagrams,
}: Given) {
  const clock = virtualClock();
  const pairs: LinkPair[] = [];
  let hello: Hello | undefined;
  let report: Report | undefined;

  async function readAll(link: Link): Promise<void> {
    for await (const frame of link.frames()) {
      const { message } = SessionRequest.decode(frame);
      if (message?.$case === 'hello') hello = message.value;
      if (message?.$case === 'report') report = message.value;
      if (message?.$case === 'heartbeat') say(message);
    }
  }

  function say(message: NonNullable<SessionResponse['message']>): void {
    pairs.at(-1)!.dom.send(SessionResponse.encode({ message }).finish());
  }

  async function dial(): Promise<Link> {
    if (dom === 'away') throw new LinkClosedError('lost', 'away');
    const pair = linkPair();
    pairs.push(pair);
    void readAll(pair.dom).catch(() => undefined);
    return pair.sub;
  }

  const plane = createInProcessPlane({ disk, nodeName: 'london' });
  const agent = createAgent({
    ...{ clock, disk, plane, blobs, log: silentLog, dialer: { dial } },
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) },
    probe: { probe },
    ...(datagrams && { datagrams }),
    identity: { node: 'london' },
  });
  const over = new AbortController();
  const running = agent.run(over.signal);
  await clock.advance(10);

  async function page(): Promise<string | undefined> {
    const request = { method: 'GET', path: '/', host: 'u1.test', headers: {}, secure: true };
    const { status, body } = await plane.request(request);
    return status === 200 && body instanceof Uint8Array ? Buffer.from(body).toString() : undefined;
  }

  return {
    ...{ clock, disk, agent, plane, page },
    hello: () => hello,
    report: () => report,
    dials: () => pairs.length,
    say: (plan: Plan) => say({ $case: 'plan', value: plan }),
    plan: (revision: bigint, upserts: readonly PlanObject[]) => {
      const digest = planDigest(objects(upserts));
      say({ $case: 'plan', value: { ...NO_PLAN, position: at(revision), upserts, digest } });
    },
    /** Lets virtual time go on until the condition holds. */
    until: async (condition: () => Promise<boolean>, limitMs = 120_000) => {
      for (let ms = 0; !(await condition()); ms += 100) {
        if (ms > limitMs) throw new Error(`still waiting: ${JSON.stringify(agent.state(), text)}`);
        await clock.advance(100);
      }
    },
    stop: async () => {
      over.abort(new Error('stop'));
      await clock.advance(0);
      await running;
    },
  };
}

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
