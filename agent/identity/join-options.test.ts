import { expect, test } from 'vitest';
import { type JoinArguments, parseJoin } from './join-options.ts';

const HASH = `sha256:${'a1'.repeat(32)}`;
const GIVEN: JoinArguments = {
  url: 'https://dom.example.com:7443',
  token: 'abc.secret',
  ca: HASH,
  name: 'london',
};

test('parseJoin takes the least', () => {
  expect(parseJoin(GIVEN)).toEqual({
    ...{ address: 'dom.example.com:7443', token: 'abc.secret', caHash: HASH, name: 'london' },
    spec: {},
  });
});

test('parseJoin takes everything', () => {
  const given = {
    ...GIVEN,
    url: 'https://[2001:db8::1]:7443/',
    ca: HASH.toUpperCase(),
    ipv4: ['192.0.2.1', '192.0.2.2'],
    ipv6: ['2001:db8::2'],
    location: '51.5, -0.13',
    role: 'nameserver,edge',
    ...{ httpPort: '8080', httpsPort: '8443', dnsPort: '5353' },
  };
  expect(parseJoin(given)).toMatchObject({
    address: '[2001:db8::1]:7443',
    caHash: HASH,
    spec: {
      roles: ['edge', 'nameserver'],
      ipv4: ['192.0.2.1', '192.0.2.2'],
      ipv6: ['2001:db8::2'],
      location: { latitude: 51.5, longitude: -0.13 },
      ports: { http: 8080, https: 8443, dns: 5353 },
    },
  });
});

test.each<{ when: string; given: Partial<JoinArguments>; says: string }>([
  { when: 'the URL is plain HTTP', given: { url: 'http://dom:7443' }, says: 'https://' },
  { when: 'the URL is no URL', given: { url: 'dom:7443' }, says: 'https://' },
  { when: 'the URL has a path', given: { url: 'https://dom:7443/join' }, says: 'https://' },
  { when: 'the hash is short', given: { ca: 'sha256:abcd' }, says: '--ca "sha256:abcd"' },
  { when: 'the token has no secret', given: { token: 'abc' }, says: '<id>.<secret>' },
  { when: 'the name is no label', given: { name: 'lon.don' }, says: '--name "lon.don"' },
  { when: 'a role is unknown', given: { role: 'edge,dns' }, says: '--role "dns"' },
  { when: 'an address is of the other family', given: { ipv4: ['::1'] }, says: '--ipv4 "::1"' },
  { when: 'the latitude is over 90', given: { location: '90.1,0' }, says: '--location' },
  { when: 'the location is one number', given: { location: '51.5' }, says: '--location' },
  { when: 'the location is half empty', given: { location: '51.5,' }, says: '--location' },
  { when: 'a port is 0', given: { dnsPort: '0' }, says: '--dns-port "0"' },
  { when: 'a port is 65536', given: { httpPort: '65536' }, says: '--http-port "65536"' },
])('parseJoin refuses when $when', ({ given, says }) => {
  expect(() => parseJoin({ ...GIVEN, ...given })).toThrow(says);
});
