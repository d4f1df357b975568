import { expect, test } from 'vitest';
import {
  connectionOf,
  parseConfig,
  redactConfig,
  renderConfig,
  singleConfig,
} from './client-config.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const config = singleConfig(
  'local',
  { server: '127.0.0.1:7443', certificateAuthorityData: base64('CA') },
  { clientCertificateData: base64('CERTIFICATE'), clientKeyData: base64('KEY') },
);

test('a config that was written is read as the same', () => {
  expect(parseConfig(renderConfig(config))).toEqual(config);
});

test('a context joins cluster and user', () => {
  const connection = {
    server: '127.0.0.1:7443',
    ...{ caPem: 'CA', certificatePem: 'CERTIFICATE', keyPem: 'KEY' },
  };
  expect(connectionOf(config, '')).toEqual(connection);
  expect(connectionOf(config, 'local')).toEqual(connection);
});

test.each([
  { when: 'no context is chosen', change: { currentContext: '' }, says: /no context is chosen/ },
  { when: 'the context is gone', change: { contexts: [] }, says: /context "local" does not exist/ },
  { when: 'the cluster is gone', change: { clusters: [] }, says: /cluster "local" does not exist/ },
  { when: 'the user is gone', change: { users: [] }, says: /user "local" does not exist/ },
])('a connection is refused when $when', ({ change, says }) => {
  expect(() => connectionOf({ ...config, ...change }, '')).toThrow(says);
});

test.each([
  { text: '', says: /the file: must be a mapping/ },
  { text: 'kind: Site', says: /kind: must be Config/ },
  { text: 'kind: Config\ncontexts: 1', says: /contexts: must be a list/ },
  { text: 'kind: Config\nclusters: [{}]', says: /clusters\[0\]\.name: must be a text/ },
  {
    text: 'kind: Config\nusers: [{ name: a, user: { clientKeyData: 1 } }]',
    says: /users\[0\]\.user\.clientCertificateData: must be a text/,
  },
])('$text is not a config', ({ text, says }) => {
  expect(() => parseConfig(text)).toThrow(says);
});

test('a config can be shown without its secrets', () => {
  expect(renderConfig(redactConfig(config))).not.toContain(base64('KEY'));
});
