import { expect, test } from 'vitest';
import { acmeScene, certificateOf, finish, materialOf } from './test-acme.ts';

const NAMES = ['example.com', '*.example.com'];

test('a certificate is ordered, proven by our own zone, and put where nodes get it from', async () => {
  const at = await acmeScene();
  await at.create('Certificate', 'blog', { names: NAMES, issuer: 'letsencrypt' });
  await finish(at);
  expect(materialOf(at)).toMatchObject({ names: NAMES, directory: 'https://ca.test/directory' });
  expect(at.ca.orders).toHaveLength(1);
  expect(at.world.records('acmeOrder')).toEqual([]);
  expect(at.world.records('zone')[0]?.[1].value.records.some(({ type }) => type === 'TXT')).toBe(
    false,
  );
  const { uid } = certificateOf(at).metadata;
  expect(at.world.record('issuance', uid)?.value).toMatchObject({
    failures: 0,
    tries: [{ outcome: 'issued', issuer: 'letsencrypt', orderUrl: at.ca.orders[0]?.url }],
  });
  expect(at.world.records('acmeCount')).toHaveLength(1);
  const revision = await at.revision();
  await finish(at, 3_600_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});
