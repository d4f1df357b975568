import { expect, test } from 'vitest';
import { certificateIdentity, peerIdentity } from './peer-identity.ts';

const ADA = { kind: 'user', name: 'ada', role: 'admin' };

test.each([
  { when: 'one of our URIs', names: 'URI:b8s://user/ada/admin', identity: ADA },
  { when: 'also other names', names: 'DNS:x.test, URI:b8s://user/ada/admin', identity: ADA },
  { when: 'two URIs', names: 'URI:b8s://user/ada/admin, URI:b8s://user/bob/viewer' },
  { when: 'an unknown role', names: 'URI:b8s://user/ada/root' },
  { when: 'a foreign URI', names: 'URI:https://example.com/' },
  { when: 'a URI inside of another name', names: 'DNS:"a, URI:b8s://user/ada/admin, b"' },
  { when: 'no names', names: undefined },
])('a certificate with $when', ({ names, identity }) => {
  expect(certificateIdentity({ subjectaltname: names })).toEqual(identity);
});

test('a person is known by the serial number, too; a node is not', () => {
  const shown = (uri: string) =>
    certificateIdentity({ subjectaltname: `URI:${uri}`, serialNumber: '4A0F' });
  expect(shown('b8s://user/ada/admin')).toEqual({ ...ADA, serial: '4a0f' });
  expect(shown('b8s://node/london/uid-1')).toEqual({ kind: 'node', name: 'london', uid: 'uid-1' });
});

test('a call whose connection is gone has no identity', () => {
  const getAuthContext = () => {
    throw new Error('ERR_HTTP2_SOCKET_UNBOUND');
  };
  expect(peerIdentity({ getAuthContext })).toBeUndefined();
  expect(peerIdentity({ getAuthContext: () => ({}) })).toBeUndefined();
});
