import { expect, test } from 'vitest';
import { acmeScene, finish, issuanceOf, materialOf, order } from './test-acme.ts';

test('an order from before the Zone of its name is proven by DNS once that is there', async () => {
  const at = await acmeScene();
  const looked: string[] = [];
  at.looks(async ({ type }) => {
    looked.push(type);
    return undefined;
  });
  for (const node of ['a', 'b']) await at.disconnect(node);
  await order(at, { names: ['one.later.test'] });
  expect(materialOf(at)).toBeUndefined();
  await at.create('Zone', 'later', { origin: 'later.test' });
  for (const node of ['a', 'b']) await at.connect(node);
  await finish(at);
  expect(looked).toEqual(['dns-01']);
  expect(materialOf(at)).toBeDefined();
  expect(issuanceOf(at)?.tries).toHaveLength(1);
  await at.end();
});
