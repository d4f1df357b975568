import { afterEach, describe, expect, test, vi } from 'vitest';
import { Report, SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import type { Link } from '../../runtime/session/link.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import type { Store } from '../../runtime/store/store.ts';
import { type DomScene, domScene, siteNamed } from '../test-scene.ts';

let scene: DomScene;

afterEach(() => scene.stop());

/** Dom's end of a link whose peer takes nothing until it is let go. */
function stalled(): {
  readonly wrap: (link: Link) => Link;
  readonly go: () => void;
  sent(): number;
} {
  const gone = Promise.withResolvers<void>();
  let [phase, sent] = ['stalled', 0];
  return {
    sent: () => sent,
    go: () => {
      phase = 'open';
      gone.resolve();
    },
    wrap: (link) => ({
      frames: () => link.frames(),
      close: (error) => link.close(error),
      drained: () => gone.promise,
      send: (frame) => {
        sent += 1;
        link.send(frame);
        return phase === 'open';
      },
    }),
  };
}

describe('a session', () => {
  test('that takes up again just after its Node was deleted fails alone', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    const peer = stalled();
    const london = scene.open(identity, peer.wrap);
    london.hello();
    await scene.clock.advance(50);
    await scene.apply(siteNamed('blog'));
    await scene.clock.advance(50);
    const failures = vi.fn();
    process.on('unhandledRejection', failures);
    await scene.remove('Node', 'london');
    // The mirror knows, the plans do not yet.
    await scene.clock.advance(1);
    peer.go();
    await scene.clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', failures);
    expect(failures).not.toHaveBeenCalled();
    expect(london.ended()).toMatch(/not declared any more/);
  });

  test('dom says that it is there before it says what may take long', async () => {
    scene = await domScene();
    const frames: Uint8Array[] = [];
    const wrap = (link: Link): Link => ({
      send: (frame) => {
        frames.push(frame);
        return link.send(frame);
      },
      drained: () => link.drained(),
      frames: () => link.frames(),
      close: (error) => link.close(error),
    });
    scene.open(await scene.join('london'), wrap).hello();
    await scene.clock.advance(50);
    const kinds = frames.map((frame) => SessionResponse.decode(frame).message?.$case);
    expect(kinds.slice(0, 2)).toEqual(['heartbeat', 'plan']);
  });

  test('of a Node that was replaced while it began gets nothing', async () => {
    let register: (() => void) | undefined;
    scene = await domScene({
      wrapStore: (store): Store => ({
        ...bound(store),
        async commit(transaction) {
          const isSession = transaction.writes.some(
            ({ key }) => key === recordKey('session', 'london'),
          );
          if (isSession) await new Promise<void>((resolve) => (register = resolve));
          return store.commit(transaction);
        },
      }),
    });
    const earlier = scene.open(await scene.join('london'));
    earlier.hello();
    await scene.clock.advance(50);
    await scene.remove('Node', 'london');
    await scene.join('london');
    await scene.clock.advance(50);
    register?.();
    await scene.clock.advance(50);
    expect(earlier.plans).toEqual([]);
    expect(earlier.ended()).toMatch(/earlier node london/);
  });

  test('of a Node that is gone does not open, also where the mirror is behind', async () => {
    let mirror: 'follows' | 'stands still' = 'follows';
    scene = await domScene({
      wrapStore: (store): Store => ({
        ...bound(store),
        async *watch(...asked) {
          for await (const event of store.watch(...asked)) {
            if (mirror === 'stands still') await new Promise(() => undefined);
            yield event;
          }
        },
      }),
    });
    const identity = await scene.join('london');
    await scene.clock.advance(50);
    mirror = 'stands still';
    await scene.remove('Node', 'london');
    const london = scene.open(identity);
    london.hello();
    await scene.clock.advance(50);
    expect(london.plans).toEqual([]);
    expect(london.ended()).toMatch(/not declared any more/);
  });

  test('of a peer that reads nothing is not sent more and more', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    const peer = stalled();
    const london = scene.open(identity, peer.wrap);
    london.hello();
    await scene.clock.advance(50);
    for (let sequence = 1n; sequence <= 1000n; sequence += 1n)
      london.send({ $case: 'heartbeat', value: { sequence } });
    await scene.clock.advance(50);
    expect(peer.sent()).toBeLessThan(5);
  });

  test('keeps its lease when an earlier one of the node registers late', async () => {
    let held: (() => void) | undefined;
    scene = await domScene({
      wrapStore: (store): Store => ({
        ...bound(store),
        async grantLease(ttlMs) {
          const lease = await store.grantLease(ttlMs);
          // The first answer is late.
          if (held === undefined) await new Promise<void>((resolve) => (held = resolve));
          return lease;
        },
      }),
    });
    const identity = await scene.join('london');
    const first = scene.open(identity);
    first.hello();
    await scene.clock.advance(50);
    const second = scene.open(identity);
    second.hello();
    await scene.clock.advance(50);
    held?.();
    for (let sequence = 1n; sequence <= 60n; sequence += 1n) {
      second.send({ $case: 'heartbeat', value: { sequence } });
      await scene.clock.advance(1000);
    }
    expect(second.ended()).toBeUndefined();
    expect(await scene.store.get(recordKey('session', 'london'))).toBeDefined();
  });

  test('keeps its report when one that an earlier session wrote arrives late', async () => {
    let late: (() => void) | undefined;
    scene = await domScene({
      wrapStore: (store): Store => ({
        ...bound(store),
        async commit(transaction) {
          const isReport = transaction.writes.some(
            ({ key }) => key === recordKey('report', 'london'),
          );
          if (isReport && late === undefined)
            await new Promise<void>((resolve) => (late = resolve));
          return store.commit(transaction);
        },
      }),
    });
    const identity = await scene.join('london');
    const [first, second] = [scene.open(identity), scene.open(identity)];
    first.hello();
    await scene.clock.advance(50);
    first.send({ $case: 'report', value: { ...NO_REPORT, geo: ['old'] } });
    await scene.clock.advance(50);
    second.hello();
    await scene.clock.advance(50);
    second.send({ $case: 'report', value: { ...NO_REPORT, geo: ['new'] } });
    await scene.clock.advance(50);
    late?.();
    await scene.clock.advance(500);
    const kept = await scene.store.get(recordKey('report', 'london'));
    expect(JSON.parse(kept?.value ?? '')).toMatchObject({ geo: ['new'] });
  });

  test('goes on when the node has more to report than one record holds', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    const london = scene.open(identity);
    london.hello();
    await scene.clock.advance(50);
    const digest = `sha256-${'0'.repeat(64)}`;
    const sites = Array.from({ length: 4_000 }, (_, index) => ({
      ...{ uid: `uid-${index}`, namespace: 'default', name: `site-${index}`, generation: 1n },
      ...{ serving: digest, verified: [digest], certificate: digest, error: '', warning: '' },
      ...{ previews: [], previewError: '' },
    }));
    london.send({ $case: 'report', value: { ...NO_REPORT, sites } });
    await scene.clock.advance(500);
    expect(london.ended()).toBeUndefined();
  });

  test('makes dom rise above a position that its store has never seen', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    const { epoch } = scene.term.leadership;
    // The store was restored: the same term, but less of it.
    const london = scene.open(identity);
    london.hello({ held: { epoch, revision: 1_000_000n }, heldDigest: 'x' });
    await scene.clock.advance(50);
    expect(scene.term.leadership.epoch).toBe(epoch + 1n);
    expect(london.plans[0]).toMatchObject({ position: { epoch: epoch + 1n }, base: undefined });
  });

  test('with a term that cannot be is refused, and dom keeps its own', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    const { epoch } = scene.term.leadership;
    const london = scene.open(identity);
    london.hello({ held: { epoch: 2n ** 64n - 1n, revision: 1n }, heldDigest: 'x' });
    await scene.clock.advance(50);
    expect(scene.term.leadership.epoch).toBe(epoch);
    expect(london.ended()).toMatch(/epoch/);
  });

  test('of a node that opened many already is refused', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    const many = Array.from({ length: 50 }, () => scene.open(identity));
    await scene.clock.advance(50);
    const open = many.filter((each) => each.ended() === undefined);
    expect(open.length).toBeLessThan(20);
  });

  test('after other roles in its absence gets the whole plan', async () => {
    scene = await domScene();
    const [sydney, identity] = [await scene.join('sydney'), await scene.join('london', ['edge'])];
    scene.open(sydney).hello();
    await scene.apply(siteNamed('blog'));
    await scene.clock.advance(50);
    const before = scene.open(identity);
    before.hello();
    await scene.clock.advance(50);
    const held = before.plans.at(-1);
    const spec = { roles: ['edge', 'nameserver'], ipv4: ['192.0.2.1'] };
    const metadata = { name: 'london' };
    await scene.apply({ apiVersion: 'b8s.dev/v1', kind: 'Node', metadata, spec });
    const after = scene.open(identity);
    after.hello({ held: held?.position, heldDigest: held?.digest ?? '' });
    await scene.clock.advance(50);
    const keys = after.plans[0]?.upserts.map(({ key }) => key);
    expect(after.plans[0]?.base).toBeUndefined();
    expect(keys).toContain('node/sydney');
  });

  test.each(['while it is there', 'in its absence'])(
    'after other roles %s is never told of an earlier position',
    async (when) => {
      scene = await domScene();
      const sydney = await scene.join('sydney', ['nameserver']);
      const identity = await scene.join('london', ['edge']);
      scene.open(sydney).hello();
      const first = scene.open(identity);
      first.hello();
      await scene.clock.advance(100);
      // News for edges only.
      await scene.apply(siteNamed('blog'));
      await scene.clock.advance(500);
      const held = first.plans.at(-1);
      const spec = { roles: ['nameserver'], ipv4: ['192.0.2.1'] };
      const metadata = { name: 'london' };
      await scene.apply({ apiVersion: 'b8s.dev/v1', kind: 'Node', metadata, spec });
      const second = when === 'in its absence' ? scene.open(identity) : first;
      if (second !== first) second.hello({ held: held?.position, heldDigest: held?.digest ?? '' });
      await scene.clock.advance(500);
      const told = second === first ? second.plans : [held, ...second.plans];
      const revisions = told.map((plan) => plan?.position?.revision ?? 0n);
      expect(revisions).toEqual(revisions.toSorted((a, b) => (a < b ? -1 : 1)));
      const keys = told.at(-1)?.upserts.map(({ key }) => key);
      expect(keys).toContain('node/sydney');
    },
  );

  test('of an edge goes on when the key of one certificate cannot be opened', async () => {
    scene = await domScene();
    const identity = await scene.join('london');
    await scene.apply(siteNamed('blog'));
    await scene.apply(siteNamed('shop'));
    await scene.clock.advance(200);
    const { items } = await scene.store.list(recordKey('material', ''));
    const [item] = items;
    if (item === undefined) throw new Error('no certificate was made');
    const value = JSON.stringify({ ...JSON.parse(item.value), sealedKey: 'v1.broken' });
    await scene.store.commit({ guards: [], writes: [{ kind: 'put', key: item.key, value }] });
    await scene.clock.advance(200);
    const failures = vi.fn();
    process.on('unhandledRejection', failures);
    const london = scene.open(identity);
    london.hello();
    await scene.clock.advance(200);
    await scene.apply(siteNamed('news'));
    await scene.clock.advance(200);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', failures);
    expect(failures).not.toHaveBeenCalled();
    const keys = london.plans.flatMap(({ upserts }) => upserts.map(({ key }) => key));
    expect(keys).toContain('site/default/news');
    expect(keys).toContain('certificate/default/news');
  });
});

const NO_REPORT = Report.fromPartial({});

/** The store's methods, for one to be put in the place of another. */
function bound(store: Store): Store {
  return {
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    commit: (transaction) => store.commit(transaction),
    watch: (prefix, options) => store.watch(prefix, options),
    grantLease: (ttlMs) => store.grantLease(ttlMs),
    renewLease: (lease) => store.renewLease(lease),
    revokeLease: (lease) => store.revokeLease(lease),
    compact: (revision) => store.compact(revision),
    close: () => store.close(),
  };
}
