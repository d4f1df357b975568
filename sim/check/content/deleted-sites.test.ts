import { expect, test } from 'vitest';
import { SessionRequest } from '../../../proto/gen/b8s/v1/agent.ts';
import { hostOf } from '../../load/wish.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { DELETED_SITE_MS_MAX, deletedSitesCheck } from './deleted-sites.ts';

const blog = object('Site', 'blog');
const HELLO = SessionRequest.encode({
  message: {
    $case: 'hello',
    value: {
      ...{ node: 'london', agentVersion: 'sim', capabilities: [], held: undefined },
      heldDigest: '',
    },
  },
}).finish();
const HEARTBEAT = SessionRequest.encode({
  message: { $case: 'heartbeat', value: { sequence: 1n } },
}).finish();

function world(): { readonly scene: Scene; readonly deleted: bigint } {
  const scene = new Scene();
  scene.watch(deletedSitesCheck(scene.ports));
  scene.put(blog);
  const deleted = scene.remove(keyOfObject(blog));
  return { scene, deleted };
}

function serves(scene: Scene, status = 200): void {
  const answer = { status, headers: [], body: '' };
  const asked = { node: 'london', host: hostOf('blog'), path: '/', namedBy: undefined };
  scene.tell((check) => check.requested?.({ ...asked, answer }));
}

function applies(scene: Scene, revision: bigint): void {
  const position = { epoch: 1n, revision };
  scene.tell((check) => check.moved?.({ node: 'london', which: 'applied', position }));
}

function says(scene: Scene, bytes: Uint8Array): void {
  const frame = { node: 'london', nodeUid: 'u', from: 'sub', dom: 'dom#1', bytes } as const;
  scene.tell((check) => check.sent?.(frame));
}

/** Heartbeats for so long. */
function stays(scene: Scene, forMs: number): void {
  const untilMs = scene.nowMs + forMs;
  for (; scene.nowMs < untilMs; scene.nowMs += 1_500) says(scene, HEARTBEAT);
}

test('a node may serve what its plan still has, or has again', () => {
  const { scene, deleted } = world();
  applies(scene, deleted - 1n);
  serves(scene);
  const again = scene.put(object('Site', 'blog', { uid: 'another' }));
  serves(scene);
  applies(scene, again);
  serves(scene);
  expect(scene.violations).toEqual([]);
});

test('INV-26 when it serves what its plan does not have', () => {
  const { scene, deleted } = world();
  applies(scene, deleted);
  serves(scene, 421);
  expect(scene.violations).toEqual([]);
  serves(scene);
  expect(scene.numbers).toEqual([26]);
});

test('INV-26 also where there is another site of that name, which its plan does not have', () => {
  const { scene, deleted } = world();
  scene.put(object('Site', 'blog', { uid: 'another' }));
  applies(scene, deleted);
  serves(scene);
  expect(scene.numbers).toEqual([26]);
});

test('INV-26 when it is told of the deletion for long', () => {
  const { scene } = world();
  says(scene, HELLO);
  scene.show('dom#1');
  stays(scene, DELETED_SITE_MS_MAX);
  serves(scene);
  expect(scene.violations).toEqual([]);
  stays(scene, 3_000);
  serves(scene);
  expect(scene.numbers).toEqual([26]);
});

test.each<{ when: string; happens: (scene: Scene) => void }>([
  { when: 'dom does not know of it', happens: (scene) => stays(scene, 60_000) },
  {
    when: 'it is silent',
    happens(scene) {
      scene.show('dom#1');
      scene.nowMs += 60_000;
    },
  },
  {
    when: 'it has a new session',
    happens(scene) {
      scene.show('dom#1');
      stays(scene, DELETED_SITE_MS_MAX - 3_000);
      says(scene, HELLO);
      stays(scene, 6_000);
    },
  },
])('a node may be behind while $when', ({ happens }) => {
  const { scene } = world();
  says(scene, HELLO);
  happens(scene);
  serves(scene);
  expect(scene.violations).toEqual([]);
});
