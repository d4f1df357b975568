import { describe, expect, test } from 'vitest';
import {
  ask,
  lines,
  queryBytes,
  records,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from '../dns.fixture.ts';

describe('name compression', () => {
  const over = { ...UDP_CLIENT, transport: 'tcp' } as const;

  test('never points to what was taken back', () => {
    const far = Array.from({ length: 40 }, (_, index) => `192.0.2.${index}`);
    const world = snapshotOf({
      zones: [
        zonePlan('t', {
          records: [
            records('t', 'MX', '10 far.away.t', '20 also.away.t'),
            records('far.away.t', 'A', ...far),
            records('also.away.t', 'A', '192.0.2.99'),
            records('srv.t', 'SRV', '1 1 1 far.hidden.t', '1 1 1 near.hidden.t'),
            records('far.hidden.t', 'A', ...far),
            records('near.hidden.t', 'A', '192.0.2.98'),
          ],
        }),
      ],
    });
    expect(lines(ask(world, queryBytes('t', 'MX')).additionals)).toEqual([
      'also.away.t A 192.0.2.99',
    ]);
    // The target of an SRV is not compressed, so its name is first seen in what does not fit.
    expect(lines(ask(world, queryBytes('srv.t', 'SRV')).additionals)).toEqual([
      'near.hidden.t A 192.0.2.98',
    ]);
  });

  test('points no farther than 14 bits go', () => {
    const hosts = Array.from({ length: 900 }, (_, index) => `${index % 2}.host-${index >> 1}.t`);
    const all = hosts.map((host) => `10 ${host}`);
    const world = snapshotOf({ zones: [zonePlan('t', { records: [records('t', 'MX', ...all)] })] });
    const reply = ask(world, queryBytes('t', 'MX'), over);
    expect(lines(reply.answers)).toEqual(hosts.map((host) => `t MX 10 ${host}`));
  });
});
