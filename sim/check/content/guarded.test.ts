import { expect, test } from 'vitest';
import { fakePasswordHasher } from '../../../runtime/secret/fake-password-hasher.ts';
import { seededRandom } from '../../engine/random.ts';
import type { Credentials } from '../../load/members.ts';
import { MEMBERS_PAGE } from '../../load/pages.ts';
import { object, Scene } from '../scene.fixture.ts';
import { guardedCheck } from './guarded.ts';

const hasher = fakePasswordHasher(seededRandom('guarded'));
const RIGHT: Credentials = { user: 'ada', password: 'sesame' };
const WRONG: Credentials = { user: 'ada', password: 'rhubarb' };

function world(): Scene {
  const scene = new Scene();
  return scene.watch(guardedCheck(scene.ports, scene.history));
}

function declare(scene: Scene, what: 'guarded' | 'open'): bigint {
  const spec = what === 'guarded' ? { auth: { secret: 'members' } } : {};
  return scene.put(object('Site', 'blog', { spec }));
}

async function hash(scene: Scene, password: string, secret = 'members'): Promise<bigint> {
  const user = { name: 'ada', of: '', hash: await hasher.hash(password) };
  const access = { siteUid: 'Site-blog', secret, users: [user] };
  return scene.putRecord('access', 'default/blog', access);
}

function serves(scene: Scene, revision: bigint): void {
  const position = { epoch: 1n, revision };
  scene.tell((check) => check.moved?.({ node: 'london', which: 'applied', position }));
}

function answers(scene: Scene, status: number, credentials?: Credentials): void {
  const answer = { status, headers: [], body: '' };
  const asked = { node: 'london', host: 'blog.example.test', path: MEMBERS_PAGE.path };
  const exchange = { ...asked, answer, namedBy: undefined, credentials };
  scene.tell((check) => check.knocked?.(exchange));
}

test.each([
  { who: 'with the password', status: 200, credentials: RIGHT, found: 0 },
  { who: 'with another', status: 401, credentials: WRONG, found: 0 },
  { who: 'with none', status: 401, credentials: undefined, found: 0 },
  { who: 'let in with another', status: 200, credentials: WRONG, found: 1 },
  { who: 'let in with none', status: 200, credentials: undefined, found: 1 },
  { who: 'refused with the password', status: 401, credentials: RIGHT, found: 1 },
  { who: 'told to wait', status: 429, credentials: RIGHT, found: 0 },
])('a guarded page, for somebody $who', async ({ status, credentials, found }) => {
  const scene = world();
  declare(scene, 'guarded');
  serves(scene, await hash(scene, 'sesame'));
  answers(scene, status, credentials);
  expect(scene.numbers).toEqual(Array.from({ length: found }, () => 46));
});

test('it is closed until there are passwords', () => {
  const scene = world();
  serves(scene, declare(scene, 'guarded'));
  answers(scene, 503, RIGHT);
  expect(scene.violations).toEqual([]);
  answers(scene, 200, RIGHT);
  expect(scene.numbers).toEqual([46]);
});

test('those of another Secret, or of an earlier Site, are none', async () => {
  const scene = world();
  declare(scene, 'guarded');
  serves(scene, await hash(scene, 'sesame', 'others'));
  answers(scene, 200, RIGHT);
  expect(scene.numbers).toEqual([46]);
});

test('a node that is behind knows the password of before, one that has come further does not', async () => {
  const scene = world();
  declare(scene, 'guarded');
  serves(scene, await hash(scene, 'sesame'));
  const changed = await hash(scene, 'rhubarb');
  answers(scene, 200, RIGHT);
  answers(scene, 200, WRONG);
  expect(scene.violations).toEqual([]);
  serves(scene, changed);
  answers(scene, 200, RIGHT);
  expect(scene.numbers).toEqual([46]);
});

test('what nobody guards is open to all', () => {
  const scene = world();
  serves(scene, declare(scene, 'open'));
  answers(scene, 200);
  expect(scene.violations).toEqual([]);
  answers(scene, 401);
  expect(scene.numbers).toEqual([46]);
});

test('of a machine that is set up anew nothing is known', () => {
  const scene = world();
  serves(scene, declare(scene, 'guarded'));
  scene.tell((check) => check.installed?.('london'));
  answers(scene, 200);
  expect(scene.violations).toEqual([]);
});
