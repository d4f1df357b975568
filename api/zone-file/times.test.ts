import { expect, test } from 'vitest';
import { parseZoneFile } from './parse.ts';

test('a SOA that names no mailbox is told, for the Zone has one', () => {
  const soa = '@ IN SOA ns1.example.com. . 1 1h 10m 2w 5m';
  const outcome = parseZoneFile(`$ORIGIN example.com.\n${soa}\n`);
  expect(outcome).toMatchObject({
    kind: 'zone',
    notes: [{ line: 2, message: 'the SOA names no mailbox; hostmaster below the origin is taken' }],
  });
});
