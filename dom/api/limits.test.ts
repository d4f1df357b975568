import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { historyPrefix, kindPrefix, recordKey } from '../../runtime/store/keys.ts';
import { type Store, UncertainError } from '../../runtime/store/store.ts';
import { ADMIN, type DomScene, domScene, siteNamed, VIEWER } from '../test-scene.ts';

let scene: DomScene;
let store: Store;

beforeEach(async () => {
  scene = await domScene();
  ({ store } = scene);
});

afterEach(() => scene.stop());

const hosts = (count: number, domain: string): readonly string[] =>
  Array.from({ length: count }, (_, index) => `host-${index}.${domain}`);

describe('limits', () => {
  test('a Site may change all of its hosts at once', async () => {
    await scene.apply(siteNamed('blog', { hosts: hosts(64, 'example.com') }));
    await scene.clock.advance(500);
    await scene.apply(siteNamed('blog', { hosts: hosts(64, 'example.net') }));
    await scene.clock.advance(2_000);
    const { items } = await store.list(recordKey('host', ''));
    expect(items.map(({ key }) => key).filter((key) => key.endsWith('.com'))).toEqual([]);
    expect(items.length).toBe(64);
  });

  test('an object that is too large is refused with words for its author', async () => {
    const annotations = { 'example.com/note': 'x'.repeat(250_000) };
    const zone = (records: number): object => ({
      apiVersion: 'b8s.dev/v1',
      kind: 'Zone',
      metadata: { name: 'large', annotations },
      spec: {
        origin: 'large.example',
        records: Array.from({ length: records }, (_, index) => ({
          name: `r${index}`,
          type: 'TXT',
          values: ['y'.repeat(200)],
        })),
      },
    });
    await expect(scene.apply(zone(5_000))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/larger than/),
    });
  });

  test('a page of large objects ends early rather than break the wire', async () => {
    const note = 'x'.repeat(1_000_000);
    for (let index = 0; index < 40; index += 1) {
      const metadata = { name: `zone-${index}`, namespace: 'default' };
      const value = JSON.stringify({ kind: 'Release', metadata, spec: { note } });
      const key = `${kindPrefix('Release')}default/release-${String(index).padStart(2, '0')}`;
      await store.commit({ guards: [], writes: [{ kind: 'put', key, value }] });
    }
    const request = { kind: 'Release', namespace: '', labelSelector: '', revision: 0n, limit: 0 };
    let [pages, objects, next] = [0, 0, ''];
    do {
      const page = await scene.term.api.list({ ...request, continue: next }, VIEWER);
      pages += 1;
      objects += page.objectsJson.length;
      next = page.continue;
    } while (next !== '' && pages < 100);
    expect(objects).toBe(40);
    expect(pages).toBeGreaterThan(1);
  });

  test('of a long history the newest part is told', async () => {
    const object = { kind: 'Site', namespace: 'default', name: 'blog' } as const;
    for (let index = 0; index < 30; index += 1) {
      const author = { manager: 'b8sctl', user: 'admin' };
      const spec = { note: 'x'.repeat(900_000) };
      const entry = {
        uid: 'u',
        generation: index,
        timeMs: index,
        change: 'configured',
        author,
        spec,
      };
      const key = `${historyPrefix(object)}${String(index).padStart(15, '0')}`;
      const value = JSON.stringify(entry);
      await store.commit({ guards: [], writes: [{ kind: 'put', key, value }] });
    }
    const { records } = await scene.term.api.history({ reference: object }, VIEWER);
    expect(records.length).toBeLessThan(15);
    expect(records.at(-1)?.generation).toBe(29n);
  });

  test('a revision that is still to come is the caller’s mistake, and is told so', async () => {
    const reference = { kind: 'Site', namespace: 'default', name: 'blog' };
    const asked = scene.term.api.get({ reference, revision: 1_000_000n }, VIEWER);
    await expect(asked).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
  });
});

describe('a lost answer', () => {
  function loseAnswers(): void {
    const commit = store.commit.bind(store);
    store.commit = async (transaction) => {
      await commit(transaction);
      store.commit = commit;
      throw new UncertainError('the answer was lost');
    };
  }

  test('to a deletion that took effect is no failure', async () => {
    await scene.apply(siteNamed('blog'));
    await scene.clock.advance(200);
    loseAnswers();
    const reference = { kind: 'Site', namespace: 'default', name: 'blog' };
    const request = { reference, uid: '', command: '', dryRun: false };
    await expect(scene.term.api.delete(request, ADMIN)).resolves.toMatchObject({
      finalizing: false,
    });
  });

  test('to a deletion does not make it take what was declared since', async () => {
    await scene.apply(siteNamed('blog'));
    await scene.clock.advance(200);
    const reference = { kind: 'Site', namespace: 'default', name: 'blog' };
    const request = { reference, uid: '', command: '', dryRun: false };
    const commit = store.commit.bind(store);
    store.commit = async (transaction) => {
      store.commit = commit;
      await commit(transaction);
      await scene.apply(siteNamed('blog'));
      throw new UncertainError('the answer was lost');
    };
    await scene.term.api.delete(request, ADMIN);
    await expect(scene.term.api.get({ reference, revision: 0n }, ADMIN)).resolves.toBeDefined();
  });

  test('to an apply that took effect is none either', async () => {
    loseAnswers();
    await expect(scene.apply(siteNamed('blog'))).resolves.toMatchObject({ kind: 'Site' });
  });
});
