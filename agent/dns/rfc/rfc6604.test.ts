import { describe, expect, test } from 'vitest';
import { ALIASES_MAX } from '../chase.ts';
import { geoName, node, records, SERIAL, snapshotOf, zonePlan } from '../dns.fixture.ts';
import { askFor, type Said, whole } from './rfc.fixture.ts';

const soa = (origin: string): string =>
  `${origin} SOA ns1.${origin} hostmaster.${origin} ${SERIAL} 3600 600 86400 300`;

/** Three zones of one server, and aliases between them. */
const snapshot = snapshotOf({
  zones: [
    zonePlan('one.test', {
      records: [
        records('host.one.test', 'A', '192.0.2.1'),
        records('near.one.test', 'CNAME', 'host.one.test'),
        records('far.one.test', 'CNAME', 'host.two.test'),
        records('farther.one.test', 'CNAME', 'back.two.test'),
        records('dead.one.test', 'CNAME', 'no.one.test'),
        records('dead2.one.test', 'CNAME', 'no.two.test'),
        records('bare.one.test', 'CNAME', 'text.two.test'),
        records('away.one.test', 'CNAME', 'www.elsewhere.test'),
        records('away2.one.test', 'CNAME', 'away.two.test'),
        records('geo.one.test', 'CNAME', 'site.two.test'),
        records('wild.one.test', 'CNAME', 'anything.wild.two.test'),
        records('into.one.test', 'CNAME', 'www.child.one.test'),
        records('into2.one.test', 'CNAME', 'www.other.two.test'),
        records('child.one.test', 'NS', 'ns.child.one.test'),
        records('ns.child.one.test', 'A', '192.0.2.9'),
        records('self.one.test', 'CNAME', 'self.one.test'),
        records('ring.one.test', 'CNAME', 'ring.two.test'),
        records('*.deep.one.test', 'CNAME', 'x.deep.one.test'),
        ...Array.from({ length: 20 }, (_, index) =>
          records(`c${index}.one.test`, 'CNAME', `c${index + 1}.one.test`),
        ),
        records('c20.one.test', 'A', '192.0.2.20'),
      ],
    }),
    zonePlan('two.test', {
      records: [
        records('host.two.test', 'A', '192.0.2.2'),
        records('text.two.test', 'TXT', 'x'),
        records('back.two.test', 'CNAME', 'near.one.test'),
        records('away.two.test', 'CNAME', 'www.elsewhere.test'),
        records('ring.two.test', 'CNAME', 'ring.one.test'),
        records('*.wild.two.test', 'CNAME', 'host.one.test'),
        records('other.two.test', 'NS', 'ns.elsewhere.test'),
      ],
      geoNames: [geoName('site.two.test', { candidates: ['edge'] })],
    }),
    zonePlan('child.one.test', { records: [records('www.child.one.test', 'A', '192.0.2.77')] }),
  ],
  nodes: [node('edge', { ipv4: ['192.0.2.50'] })],
});

describe('RFC 1034 §4.3.2 step 3a: an alias starts the search again, in whatever zone is ours', () => {
  test.each<{ name: string; type?: string } & Said>([
    {
      name: 'near.one.test',
      answers: ['near.one.test CNAME host.one.test', 'host.one.test A 192.0.2.1'],
    },
    {
      name: 'far.one.test',
      answers: ['far.one.test CNAME host.two.test', 'host.two.test A 192.0.2.2'],
    },
    {
      name: 'farther.one.test',
      answers: [
        'farther.one.test CNAME back.two.test',
        'back.two.test CNAME near.one.test',
        'near.one.test CNAME host.one.test',
        'host.one.test A 192.0.2.1',
      ],
    },
    {
      name: 'geo.one.test',
      answers: ['geo.one.test CNAME site.two.test', 'site.two.test A 192.0.2.50'],
    },
    {
      name: 'wild.one.test',
      answers: [
        'wild.one.test CNAME anything.wild.two.test',
        'anything.wild.two.test CNAME host.one.test',
        'host.one.test A 192.0.2.1',
      ],
    },
    // The child is ours, too: it answers, not the delegation in its parent.
    {
      name: 'into.one.test',
      answers: ['into.one.test CNAME www.child.one.test', 'www.child.one.test A 192.0.2.77'],
    },
    // The alias itself was asked for: nothing is followed.
    { name: 'far.one.test', type: 'CNAME', answers: ['far.one.test CNAME host.two.test'] },
  ])('$name $type', ({ name, type = 'A', ...expected }) => {
    expect(askFor(snapshot, name, type)).toEqual(whole(expected));
  });
});

describe('RFC 6604 §2 and §3: AA speaks of the first name, the code of the last', () => {
  test.each<{ when: string; name: string } & Said>([
    {
      when: 'the last name does not exist',
      name: 'dead.one.test',
      rcode: 'NXDOMAIN',
      answers: ['dead.one.test CNAME no.one.test'],
      authorities: [soa('one.test')],
    },
    {
      when: 'it does not exist in another zone of ours: with the SOA of that one',
      name: 'dead2.one.test',
      rcode: 'NXDOMAIN',
      answers: ['dead2.one.test CNAME no.two.test'],
      authorities: [soa('two.test')],
    },
    {
      when: 'it has no such data (RFC 2308 §2.2)',
      name: 'bare.one.test',
      answers: ['bare.one.test CNAME text.two.test'],
      authorities: [soa('two.test')],
    },
    {
      when: 'it is not ours to tell',
      name: 'away.one.test',
      answers: ['away.one.test CNAME www.elsewhere.test'],
    },
    {
      when: 'it is not ours to tell, two zones on',
      name: 'away2.one.test',
      answers: ['away2.one.test CNAME away.two.test', 'away.two.test CNAME www.elsewhere.test'],
    },
    {
      when: 'it lies in a delegation of another zone of ours',
      name: 'into2.one.test',
      answers: ['into2.one.test CNAME www.other.two.test'],
      authorities: ['other.two.test NS ns.elsewhere.test'],
    },
  ])('$when', ({ name, when: _, ...expected }) => {
    expect(askFor(snapshot, name, 'A')).toEqual(whole(expected));
  });
});

describe('chains without end are answered as far as they are looked at (RFC 1034 §3.6.2)', () => {
  test.each([
    { when: 'an alias of itself', name: 'self.one.test', names: ['self.one.test'] },
    {
      when: 'a ring through two zones',
      name: 'ring.one.test',
      names: ['ring.one.test', 'ring.two.test'],
    },
    {
      when: 'a wildcard that leads back below itself',
      name: 'y.deep.one.test',
      names: ['y.deep.one.test', 'x.deep.one.test'],
    },
    {
      when: 'a chain that is longer than the limit',
      name: 'c0.one.test',
      names: Array.from({ length: ALIASES_MAX }, (_, index) => `c${index}.one.test`),
    },
  ])('$when', ({ name, names }) => {
    const reply = askFor(snapshot, name, 'A');
    expect([reply.rcode, reply.aa, reply.authorities]).toEqual(['NOERROR', true, []]);
    expect(reply.answers.map((line) => line.split(' ')[0])).toEqual(names);
  });

  test('a chain of just the limit is whole', () => {
    const first = `c${20 - ALIASES_MAX + 1}.one.test`;
    const reply = askFor(snapshot, first, 'A');
    expect(reply.answers.at(-1)).toBe('c20.one.test A 192.0.2.20');
    expect(reply.answers).toHaveLength(ALIASES_MAX);
  });
});
