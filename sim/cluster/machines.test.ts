import { isIPv4 } from 'node:net';
import { expect, test } from 'vitest';
import { seededRandom } from '../engine/random.ts';
import { drawMachines } from './machines.ts';

test('each of many machines has a name and an address of its own', () => {
  const count = 600;
  const machines = drawMachines({ count, nameserversMax: 4 }, seededRandom('machines'));
  expect(new Set(machines.map(({ name }) => name)).size).toBe(count);
  expect(new Set(machines.map(({ ipv4 }) => ipv4)).size).toBe(count);
  expect(machines.filter(({ ipv4 }) => !isIPv4(ipv4))).toEqual([]);
  expect(machines.filter(({ roles }) => roles.includes('nameserver')).length).toBe(4);
});
