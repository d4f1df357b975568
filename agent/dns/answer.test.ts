import { describe, expect, test } from 'vitest';
import { ask, lines, queryBytes } from './dns.fixture.ts';
import { snapshot } from './example.fixture.ts';

describe('geo names', () => {
  test('never released: no data, but the name exists', () => {
    const reply = ask(snapshot, queryBytes('new.example.com', 'A'));
    expect([reply.rcode, reply.answers, reply.authorities?.[0]?.type]).toEqual([
      'NOERROR',
      [],
      'SOA',
    ]);
  });

  test('no candidate has an IPv6 address: no data for AAAA', () => {
    const reply = ask(snapshot, queryBytes('site.example.com', 'AAAA'));
    expect([reply.rcode, reply.answers, reply.authorities?.[0]?.type]).toEqual([
      'NOERROR',
      [],
      'SOA',
    ]);
  });

  test('the TTL is the geo name’s, wildcards and aliases lead to it', () => {
    const reply = ask(snapshot, queryBytes('x.any.example.com', 'A'), {
      address: '1.1.1.1',
      transport: 'udp',
    });
    expect(lines(reply.answers)).toEqual([
      'x.any.example.com CNAME site.example.com',
      'site.example.com A 192.0.2.2',
    ]);
    expect(reply.answers?.[1]).toMatchObject({ ttl: 30 });
  });
});
