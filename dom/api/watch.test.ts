import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WatchRequest, WatchResponse } from '../../proto/gen/b8s/v1/api.ts';
import { type DomScene, domScene, siteNamed, VIEWER } from '../test-scene.ts';
import { WATCH_QUEUE_LENGTH_MAX } from './watch.ts';

const EVERY_ZONE: WatchRequest = {
  kind: 'Zone',
  namespace: '',
  labelSelector: '',
  name: '',
  afterRevision: 0n,
};

let scene: DomScene;
let over: AbortController;

beforeEach(async () => {
  scene = await domScene();
  over = new AbortController();
});

afterEach(() => {
  over.abort();
  scene.stop();
});

function watch(request: Partial<WatchRequest> = {}): AsyncIterator<WatchResponse> {
  const all = scene.term.api.watch({ ...EVERY_ZONE, ...request }, VIEWER, over.signal);
  return all[Symbol.asyncIterator]();
}

/** What has come until there is no more. */
function gather(iterator: AsyncIterator<WatchResponse>): readonly string[] {
  const heard: string[] = [];
  void (async () => {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { type, objectJson } = next.value;
      const name = objectJson === '' ? '' : ` ${JSON.parse(objectJson).metadata.name}`;
      heard.push(`${type}${name}`);
    }
  })().catch((error: unknown) => heard.push(String(error)));
  return heard;
}

const zone = (name: string, text = ''): object => ({
  apiVersion: 'b8s.dev/v1',
  kind: 'Zone',
  metadata: { name, annotations: { 'example.com/note': text } },
  spec: { origin: `${name}.example` },
});

test('begins with what there is, and goes on with what changes', async () => {
  await scene.apply(zone('one'));
  const heard = gather(watch());
  await scene.clock.advance(20);
  await scene.apply(zone('two'));
  await scene.clock.advance(200);
  expect(heard.slice(0, 3)).toEqual(['added one', 'synced', 'added two']);
});

test('after a revision says nothing of what is as it was then', async () => {
  await scene.apply(zone('one'));
  await scene.clock.advance(200);
  const list = { ...EVERY_ZONE, revision: 0n, limit: 0, continue: '' };
  const { revision } = await scene.term.api.list(list, VIEWER);
  await scene.apply(zone('two'));
  await scene.clock.advance(200);
  const heard = gather(watch({ afterRevision: revision }));
  await scene.clock.advance(20);
  expect(heard).toEqual(['added two', 'synced']);
});

test('of a caller that does not read ends instead of keeping all for it', async () => {
  const heard = watch();
  expect((await heard.next()).value).toMatchObject({ type: 'synced' });
  const text = 'x'.repeat(200_000);
  const needed = Math.ceil(WATCH_QUEUE_LENGTH_MAX / text.length);
  for (let count = 0; count <= needed; count += 1)
    await scene.apply(zone('one', `${count}${text}`));
  await scene.clock.advance(200);
  await expect(heard.next()).rejects.toThrow(/fell too far behind/);
});

test('ends when its caller is gone while the mirror lags', async () => {
  const store = scene.store;
  const list = store.list.bind(store);
  store.list = async (prefix, options) => ({
    ...(await list(prefix, options)),
    revision: 1_000_000n,
  });
  const heard = gather(watch());
  await scene.clock.advance(20);
  over.abort(new Error('gone'));
  await scene.clock.advance(20);
  expect(heard).toEqual(['Error: gone']);
});

test('of Sites shows none of another namespace', async () => {
  await scene.apply(siteNamed('blog'));
  await scene.clock.advance(20);
  const heard = gather(watch({ kind: 'Site', namespace: 'other' }));
  await scene.clock.advance(20);
  expect(heard).toEqual(['synced']);
});
