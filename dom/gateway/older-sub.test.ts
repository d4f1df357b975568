import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type DomScene,
  domScene,
  type NodeIdentity,
  type NodeSession,
  siteNamed,
} from '../test-scene.ts';

let at: DomScene;
let london: NodeIdentity;

beforeEach(async () => {
  at = await domScene();
  london = await at.join('london');
});
afterEach(() => at.stop());

const GUARDED = { auth: { secret: 'staff', realm: 'Staff', paths: ['/*'] } };

/** Names of the sites that the node has by now. */
function sites({ plans }: NodeSession): readonly string[] {
  const held = new Set<string>();
  for (const { base, upserts, removals } of plans) {
    if (base === undefined) held.clear();
    for (const { key } of upserts) held.add(key);
    for (const key of removals) held.delete(key);
  }
  return [...held].filter((key) => key.startsWith('site/')).toSorted();
}

async function opened(capabilities: readonly string[]): Promise<NodeSession> {
  const session = at.open(london);
  session.hello({ capabilities: [...capabilities] });
  await at.clock.advance(1_000);
  return session;
}

test('a sub that cannot ask for passwords is not told of a site that wants them', async () => {
  await at.apply(siteNamed('open'));
  await at.apply(siteNamed('staff', GUARDED));
  expect(sites(await opened(['delta']))).toEqual(['site/default/open']);
  // The node is upgraded.
  expect(sites(await opened(['passwords', 'what a later one can']))).toEqual([
    'site/default/open',
    'site/default/staff',
  ]);
});

test('it is taken away from such a sub as soon as the site wants passwords', async () => {
  await at.apply(siteNamed('blog'));
  const older = await opened([]);
  expect(sites(older)).toEqual(['site/default/blog']);
  await at.apply(siteNamed('blog', GUARDED));
  await at.clock.advance(1_000);
  expect(sites(older)).toEqual([]);
});

test('what a sub can do is noted with its session, as far as it is known here', async () => {
  await opened(['passwords', 'what a later one can']);
  const session = at.term.mirror.record('session', 'london')?.value;
  expect(session?.capabilities).toEqual(['passwords']);
});
