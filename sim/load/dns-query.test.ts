import { expect, test } from 'vitest';
import { seededRandom } from '../engine/random.ts';
import { drawQuery, encodeQuery, readQuery, spoil } from './dns-query.ts';
import { SUBNETS } from './places.ts';

test('a query is read as it was written', () => {
  const random = seededRandom('queries');
  for (let count = 0; count < 200; count += 1) {
    const query = drawQuery({ name: 'blog.example.test', type: 1, subnets: SUBNETS }, random);
    expect(readQuery(encodeQuery(query))).toEqual(query);
  }
});

test('what is spoiled is never read as the query that it was', () => {
  const random = seededRandom('spoiled');
  const query = { id: 7, name: 'blog.example.test', type: 1, sizeBytes: 1232 };
  for (let count = 0; count < 500; count += 1)
    expect(readQuery(spoil(encodeQuery(query), random))).not.toEqual({
      ...query,
      subnet: undefined,
    });
});

test('a subnet with bits beyond its prefix is none', () => {
  const subnet = { address: '214.78.16.0', bits: 20 };
  const bytes = Buffer.from(encodeQuery({ id: 1, name: 'a.b', type: 1, sizeBytes: 512, subnet }));
  expect(readQuery(bytes)?.subnet).toEqual(subnet);
  bytes[bytes.length - 1] = 0x17;
  expect(readQuery(bytes)).toBeUndefined();
});
