import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Resource } from '../api/object.ts';
import { type Plan, SessionRequest, SessionResponse } from '../proto/gen/b8s/v1/agent.ts';
import type { Identity } from '../runtime/authority.ts';
import {
  encodeFakeRequest,
  fakeAuthority,
  fakeKey,
  parseFakeCertificate,
} from '../runtime/fake-authority.ts';
import { silentLog } from '../runtime/log.ts';
import { memoryDisk } from '../runtime/memory-disk.ts';
import { linkPair } from '../runtime/memory-link.ts';
import { memoryStore } from '../runtime/memory-store.ts';
import { noMetrics } from '../runtime/metrics.ts';
import type { Random } from '../runtime/random.ts';
import type { Store } from '../runtime/store.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import { Dom, type Term } from './dom.ts';
import { createSealer } from './identity/sealer.ts';

const ADMIN = { identity: { kind: 'user', name: 'admin', role: 'admin' } } as const;
const VIEWER = { identity: { kind: 'user', name: 'eve', role: 'viewer' } } as const;

let clock: VirtualClock;
let store: Store;
let stopping: AbortController;
let term: Term;
let dom: Dom;
let random: Random;

beforeEach(async () => {
  clock = virtualClock();
  store = memoryStore({ clock });
  random = countingRandom();
  await startDom();
});

afterEach(() => stopping.abort());

async function startDom(): Promise<void> {
  stopping = new AbortController();
  const sealer = createSealer({ key: new Uint8Array(32), random });
  const authority = fakeAuthority({ clock, random });
  const ports = {
    store,
    clock,
    random,
    disk: memoryDisk(),
    log: silentLog,
    metrics: noMetrics,
    sealer,
    authority,
  };
  const options = {
    holder: 'dom',
    mode: 'sole',
    version: '1.0.0',
    storeName: 'memory',
    addresses: ['dom:7443'],
  } as const;
  dom = new Dom(ports, options);
  void dom.run(stopping.signal);
  await clock.advance(100);
  term = await dom.leading();
}

/** Joins a node by a real token and opens its session; what dom sends is gathered. */
async function joined(name: string): Promise<{
  readonly identity: Identity;
  readonly plans: Plan[];
  send(message: SessionRequest['message']): void;
  ended(): unknown;
}> {
  const { token } = await term.api.createToken({ node: name, ttlS: 60 }, ADMIN);
  const specJson = JSON.stringify({ roles: ['edge', 'nameserver'], ipv4: ['192.0.2.1'] });
  const key = fakeKey(random);
  const csr = Buffer.from(
    encodeFakeRequest({
      publicKey: key.publicKey,
      signedBy: key.publicKey,
      strength: 'strong',
    }),
  );
  const response = await term.join.join({ token, node: name, csr, specJson, agentVersion: '1' });
  const identity: Identity = { kind: 'node', name, uid: response.nodeUid };
  expect(parseFakeCertificate(response.chainPem)).toBeDefined();
  const pair = linkPair();
  const plans: Plan[] = [];
  let end: unknown;
  void dom.accept(pair.dom, identity, stopping.signal);
  void (async () => {
    for await (const frame of pair.sub.frames()) {
      const { message } = SessionResponse.decode(frame);
      if (message?.$case === 'plan') plans.push(message.value);
    }
  })().then(
    () => (end = 'ended'),
    (error: unknown) => (end = error),
  );
  const send = (message: SessionRequest['message']): void => {
    pair.sub.send(SessionRequest.encode({ message }).finish());
  };
  return { identity, plans, send, ended: () => end };
}

const hello = (node: string): SessionRequest['message'] => ({
  $case: 'hello',
  value: { node, agentVersion: '1', capabilities: [], held: undefined, heldDigest: '' },
});

async function apply(
  object: unknown,
  options: { force?: boolean; manager?: string } = {},
): Promise<{ outcome: string; object: Resource }> {
  const request = {
    objectJson: JSON.stringify(object),
    manager: options.manager ?? 'b8sctl',
    forceConflicts: options.force ?? false,
    dryRun: false,
    command: 'test',
  };
  const answer = await term.api.apply(request, ADMIN);
  return { outcome: answer.outcome, object: JSON.parse(answer.objectJson) as Resource };
}

const site = (spec: object = {}, name = 'blog'): object => ({
  apiVersion: 'b8s.dev/v1',
  kind: 'Site',
  metadata: { name },
  spec: { hosts: ['blog.example.com'], ...spec },
});

describe('apply', () => {
  test('creates, then changes nothing, then changes what differs', async () => {
    expect((await apply(site())).outcome).toBe('created');
    await clock.advance(1_000);
    const { revision } = await store.list('/b8s/');
    expect((await apply(site())).outcome).toBe('unchanged');
    expect((await store.list('/b8s/')).revision).toBe(revision);
    const changed = await apply(site({ ttl: 77 }));
    expect(changed.outcome).toBe('configured');
    expect(changed.object.metadata.generation).toBe(2);
  });

  test('a field that the YAML no longer has goes back to its default', async () => {
    await apply(site({ ttl: 77 }));
    const { object } = await apply(site());
    expect(object.spec).toMatchObject({ ttl: 30 });
  });

  test('another manager keeps its field, and a clash names it', async () => {
    await apply(site({ ttl: 77 }), { manager: 'git' });
    await expect(apply(site({ ttl: 78 }))).rejects.toThrow(
      /spec\.ttl is set by "git".*--force-conflicts/,
    );
    expect((await apply(site({ ttl: 78 }), { force: true })).object.spec).toMatchObject({
      ttl: 78,
    });
  });

  test('a host of another site is refused, also when both come at once', async () => {
    const both = await Promise.allSettled([apply(site()), apply(site({}, 'other'))]);
    expect(both.map((each) => each.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(apply(site({}, 'third'))).rejects.toThrow(
      /spec\.hosts\[0\] "blog\.example\.com": is served by site default\//,
    );
  });

  test('a host is free again once its site is deleted', async () => {
    await apply(site());
    const reference = { kind: 'Site', namespace: 'default', name: 'blog' };
    await term.api.delete({ reference, uid: '', command: '', dryRun: false }, ADMIN);
    expect((await apply(site({}, 'other'))).outcome).toBe('created');
  });

  test('history keeps each change of the spec with who made it', async () => {
    await apply(site());
    await apply(site({ ttl: 77 }));
    const reference = { kind: 'Site', namespace: 'default', name: 'blog' };
    const { records } = await term.api.history({ reference }, VIEWER);
    expect(records.map(({ change, generation, user }) => ({ change, generation, user }))).toEqual([
      { change: 'created', generation: 1n, user: 'admin' },
      { change: 'configured', generation: 2n, user: 'admin' },
    ]);
  });

  test('a viewer reads and does not write; a node does neither', async () => {
    const node = { identity: { kind: 'node', name: 'london', uid: 'x' } } as const;
    const list = {
      kind: 'Site',
      namespace: '',
      labelSelector: '',
      revision: 0n,
      limit: 0,
      continue: '',
    };
    expect((await term.api.list(list, VIEWER)).objectsJson).toEqual([]);
    await expect(term.api.list(list, node)).rejects.toThrow(/may not use this API/);
    await expect(term.api.revokeToken({ id: 'x' }, VIEWER)).rejects.toThrow(/needs the role admin/);
    await expect(term.api.list(list, { identity: undefined })).rejects.toThrow(
      /no client certificate/,
    );
  });
});

describe('a session', () => {
  test('gets a snapshot, then deltas, and nothing when nothing concerns it', async () => {
    const london = await joined('london');
    london.send(hello('london'));
    await clock.advance(50);
    expect(london.plans.at(-1)?.upserts.map((each) => each.key)).toContain('node/london');
    const before = london.plans.length;
    await apply(site());
    await clock.advance(500);
    const fresh = london.plans.slice(before);
    expect(fresh.flatMap((plan) => plan.upserts).map((each) => each.key)).toContain(
      'site/default/blog',
    );
    expect(fresh.every((plan) => plan.base !== undefined)).toBe(true);
    // The certificate was made by a controller, and its key reached the edge that serves the name.
    expect(fresh.flatMap((plan) => plan.upserts).map((each) => each.key)).toContain(
      'certificate/default/blog',
    );
  });

  test('a node with the certificate of another is refused', async () => {
    const london = await joined('london');
    london.send(hello('sydney'));
    await clock.advance(50);
    expect(String(london.ended())).toMatch(/certificate is for node london, the hello says sydney/);
  });

  test('a deleted node is shown the door, and its old certificate stays worthless', async () => {
    const london = await joined('london');
    london.send(hello('london'));
    await clock.advance(50);
    const reference = { kind: 'Node', namespace: '', name: 'london' };
    await term.api.delete({ reference, uid: '', command: '', dryRun: false }, ADMIN);
    await clock.advance(200);
    expect(String(london.ended())).toMatch(/node london is not declared any more/);
  });

  test('the lease ends with the heartbeats, and nameservers learn it', async () => {
    const [london, sydney] = [await joined('london'), await joined('sydney')];
    london.send(hello('london'));
    sydney.send(hello('sydney'));
    for (let beat = 1n; beat < 12n; beat += 1n) {
      await clock.advance(1_000);
      london.send({ $case: 'heartbeat', value: { sequence: beat } });
    }
    const directory = new Map(
      london.plans.flatMap((plan) => plan.upserts).map((each) => [each.key, each]),
    );
    expect(directory.get('node/sydney')?.object?.value).toMatchObject({ ready: false });
    expect(directory.get('node/london')?.object?.value).toMatchObject({ ready: true });
  });

  test('after a restart of dom the epoch is higher, and a node that holds all gets no object again', async () => {
    const london = await joined('london');
    london.send(hello('london'));
    await clock.advance(1_000);
    london.send({ $case: 'heartbeat', value: { sequence: 1n } });
    const held = london.plans.at(-1);
    stopping.abort();
    await clock.advance(100);
    const { identity } = london;
    await startDom();
    expect(term.leadership.epoch).toBeGreaterThan(held?.position?.epoch ?? 0n);
    const pair = linkPair();
    const plans: Plan[] = [];
    void dom.accept(pair.dom, identity, stopping.signal);
    void (async () => {
      for await (const frame of pair.sub.frames()) {
        const { message } = SessionResponse.decode(frame);
        if (message?.$case === 'plan') plans.push(message.value);
      }
    })().catch(() => undefined);
    const value = {
      node: 'london',
      agentVersion: '1',
      capabilities: [],
      held: held?.position,
      heldDigest: held?.digest ?? '',
    };
    pair.sub.send(SessionRequest.encode({ message: { $case: 'hello', value } }).finish());
    await clock.advance(50);
    expect(plans[0]?.base).toEqual(held?.position);
    expect(plans[0]?.upserts).toEqual([]);
  });

  test('a node that knows a later epoch makes dom rise above it', async () => {
    const london = await joined('london');
    const value = {
      node: 'london',
      agentVersion: '1',
      capabilities: [],
      held: { epoch: 41n, revision: 7n },
      heldDigest: 'x',
    };
    london.send({ $case: 'hello', value });
    await clock.advance(50);
    expect(term.leadership.epoch).toBe(42n);
    expect(london.plans[0]?.position?.epoch).toBe(42n);
    expect(london.plans[0]?.base).toBeUndefined();
    expect((await apply(site())).outcome).toBe('created');
  });
});

/** Not random at all, and never the same twice. */
function countingRandom(): Random {
  let count = 0;
  return {
    next: () => ((count += 1) % 97) / 97,
    bytes(length) {
      count += 1;
      const bytes = new Uint8Array(length);
      new DataView(bytes.buffer).setUint32(0, count);
      return bytes;
    },
  };
}
