import { expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import { object, view } from '../test-scene.ts';
import { serving } from './abilities.ts';
import { passwordsReady } from './readiness.ts';

const auth = { secret: 'staff', realm: 'Staff', paths: ['/*'] };
const site = (spec: object) => object<Site>('Site', 'blog', { hosts: ['a.test'], ...spec });
const older = (name: string) => view(name, { capabilities: [] });

test.each([
  { when: 'no passwords are wanted', spec: {}, nodes: [older('a'), view('b')], able: 'a b' },
  { when: 'one is too old', spec: { auth }, nodes: [older('a'), view('b')], able: 'b', old: 'a' },
  { when: 'all are', spec: { auth }, nodes: [older('a')], able: 'a', old: 'a' },
  {
    when: 'the one that was is away',
    spec: { auth },
    nodes: [view('a', { capabilities: [], connected: false }), view('b')],
    able: 'a b',
  },
])('who is told of a site when $when', ({ spec, nodes, able, old = '' }) => {
  const { able: told, tooOld } = serving(site(spec), nodes);
  const names = (views: readonly { readonly name: string }[]) => views.map(({ name }) => name);
  expect([names(told).join(' '), names(tooOld).join(' ')]).toEqual([able, old]);
});

test('the condition names the node and the mend', () => {
  const guarded = site({ auth });
  const access = { siteUid: guarded.metadata.uid, secret: 'staff', users: [] };
  expect(passwordsReady(guarded, access, [older('london')])).toMatchObject({
    ...{ status: 'False', reason: 'NodesTooOld' },
    message: expect.stringMatching(/^london cannot ask for passwords.*upgrade sub/u),
  });
  expect(passwordsReady(guarded, access)).toMatchObject({ status: 'True' });
});
