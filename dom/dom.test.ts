import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Resource } from '../api/object.ts';
import type { Store } from '../runtime/store/store.ts';
import type { VirtualClock } from '../runtime/test-clock.ts';
import type { Term } from './dom.ts';
import {
  ADMIN,
  type DomScene,
  domScene,
  type NodeIdentity,
  type NodeSession,
  VIEWER,
} from './test-scene.ts';

let scene: DomScene;
let clock: VirtualClock;
let store: Store;
let term: Term;

beforeEach(async () => {
  scene = await domScene();
  ({ clock, store, term } = scene);
});

afterEach(() => scene.stop());

/** Joins a node by a real token and opens its session; what dom sends is gathered. */
async function joined(name: string): Promise<NodeSession & { readonly identity: NodeIdentity }> {
  const identity = await scene.join(name);
  return { identity, ...scene.open(identity) };
}

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

  test('previews of two Sites of one name cannot have the same hosts', async () => {
    const previews = { domain: 'preview.example.com', keep: 5 };
    const second = (spec: object) => {
      const object = site({ hosts: ['other.example.com'], ...spec });
      return { ...object, metadata: { name: 'blog', namespace: 'second' } };
    };
    await apply(site({ previews }));
    await expect(apply(second({ previews }))).rejects.toThrow(
      /spec\.previews\.domain "\*--blog\.preview\.example\.com": is served by site default\/blog/,
    );
    const other = { ...previews, domain: 'p.example.com' };
    expect((await apply(second({ previews: other }))).outcome).toBe('created');
    await apply(site());
    expect((await apply(second({ previews }))).outcome).toBe('configured');
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
    london.hello();
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
    london.hello({ node: 'sydney' });
    await clock.advance(50);
    expect(String(london.ended())).toMatch(/certificate is for node london, the hello says sydney/);
  });

  test('a deleted node is shown the door, and its old certificate stays worthless', async () => {
    const london = await joined('london');
    london.hello();
    await clock.advance(50);
    const reference = { kind: 'Node', namespace: '', name: 'london' };
    await term.api.delete({ reference, uid: '', command: '', dryRun: false }, ADMIN);
    await clock.advance(200);
    expect(String(london.ended())).toMatch(/node london is not declared any more/);
  });

  test('the lease ends with the heartbeats, and nameservers learn it', async () => {
    const [london, sydney] = [await joined('london'), await joined('sydney')];
    london.hello();
    sydney.hello();
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
    london.hello();
    await clock.advance(1_000);
    london.send({ $case: 'heartbeat', value: { sequence: 1n } });
    const held = london.plans.at(-1);
    scene.stop();
    await clock.advance(100);
    scene = await domScene({ clock, store });
    ({ term } = scene);
    expect(term.leadership.epoch).toBeGreaterThan(held?.position?.epoch ?? 0n);
    const again = scene.open(london.identity);
    again.hello({ held: held?.position, heldDigest: held?.digest ?? '' });
    await clock.advance(50);
    expect(again.plans[0]?.base).toEqual(held?.position);
    expect(again.plans[0]?.upserts).toEqual([]);
  });

  test('a node that knows a later epoch makes dom rise above it', async () => {
    const london = await joined('london');
    london.hello({ held: { epoch: 41n, revision: 7n }, heldDigest: 'x' });
    await clock.advance(50);
    expect(term.leadership.epoch).toBe(42n);
    expect(london.plans[0]?.position?.epoch).toBe(42n);
    expect(london.plans[0]?.base).toBeUndefined();
    expect((await apply(site())).outcome).toBe('created');
  });
});
