import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN, type DomScene, domScene, siteNamed, VIEWER } from '../test-scene.ts';

let scene: DomScene;
beforeEach(async () => {
  scene = await domScene();
});
afterEach(() => scene.stop());

test.each([
  { name: 'ci', role: 'viewer', days: 0, endsInDays: 90 },
  { name: 'ada.b', role: 'admin', days: 365, endsInDays: 365 },
])('$name becomes a $role for $endsInDays days', async ({ endsInDays, ...request }) => {
  const { certificate, key, expiresMs } = await scene.term.api.createUser(request, ADMIN);
  expect([certificate, key].every((each) => each.length > 0)).toBe(true);
  const days = (Number(expiresMs) - scene.clock.nowMs()) / 86_400_000;
  expect(Math.round(days)).toBe(endsInDays);
});

test.each([
  { name: '', role: 'viewer', days: 1 },
  { name: 'a/b', role: 'viewer', days: 1 },
  { name: 'dom', role: 'viewer', days: 1 },
  { name: 'A', role: 'viewer', days: 1 },
  { name: 'x'.repeat(64), role: 'viewer', days: 1 },
  { name: 'ci', role: 'boss', days: 1 },
  { name: 'ci', role: 'viewer', days: 366 },
])('$name as $role for $days days is refused', async (request) => {
  await expect(scene.term.api.createUser(request, ADMIN)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

describe('a viewer', () => {
  const how = { manager: 'b8sctl', forceConflicts: false, command: 'test' };
  const objectJson = JSON.stringify(siteNamed('blog'));

  test('may ask what would become of an object, and change nothing', async () => {
    const { api } = scene.term;
    const { outcome } = await api.apply({ objectJson, ...how, dryRun: true }, VIEWER);
    expect(outcome).toBe('created');
    for (const write of [
      () => api.apply({ objectJson, ...how, dryRun: false }, VIEWER),
      () => api.createUser({ name: 'x', role: 'admin', days: 1 }, VIEWER),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('sees of a Secret only which values would be others', async () => {
    const secret = (data: object): string =>
      JSON.stringify({
        apiVersion: 'b8s.dev/v1',
        kind: 'Secret',
        metadata: { name: 's' },
        spec: { data },
      });
    await scene.apply(JSON.parse(secret({ a: 'one', b: 'two' })));
    const request = { objectJson: secret({ a: 'one', b: 'three', c: 'four' }), ...how };
    const answer = await scene.term.api.apply({ ...request, dryRun: true }, VIEWER);
    expect(answer.changedValues).toEqual(['b', 'c']);
    expect(JSON.stringify(answer)).not.toMatch(/one|two|three|four/);
  });
});

describe('a write that is meant for one version', () => {
  const how = { manager: 'b8sctl', forceConflicts: false, command: 'test', dryRun: false };

  test('is refused for another one, and "0" means that there is none', async () => {
    const { api } = scene.term;
    const objectJson = JSON.stringify(siteNamed('blog'));
    const make = { objectJson, ...how, resourceVersion: '0' };
    await api.apply(make, ADMIN);
    // Controllers write its status.
    await scene.clock.advance(5_000);
    const reference = { kind: 'Site', namespace: '', name: 'blog' };
    const { objectJson: made } = await api.get({ reference, revision: 0n }, ADMIN);
    const { resourceVersion } = JSON.parse(made).metadata;
    await expect(api.apply(make, ADMIN)).rejects.toMatchObject({ code: 'ABORTED' });
    const next = JSON.stringify(siteNamed('blog', { ttl: 60 }));
    await api.apply({ ...how, objectJson: next, resourceVersion }, ADMIN);
    await expect(api.apply({ ...how, objectJson, resourceVersion }, ADMIN)).rejects.toMatchObject({
      code: 'ABORTED',
    });
    const gone = { reference, uid: '', command: '', dryRun: false, resourceVersion };
    await expect(api.delete(gone, ADMIN)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('hosts that others give up count as free in a dry run only', async () => {
    const { api } = scene.term;
    await scene.apply(siteNamed('a', { hosts: ['x.example.com'] }));
    const objectJson = JSON.stringify(siteNamed('b', { hosts: ['x.example.com'] }));
    const freed = { hosts: ['x.example.com'] };
    await api.apply({ objectJson, ...how, dryRun: true, freed }, VIEWER);
    for (const dryRun of [true, false])
      await expect(
        api.apply({ objectJson, ...how, dryRun, ...(!dryRun && { freed }) }, ADMIN),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
