import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { testAuthority } from '../test-port.ts';
import { createAcmeClient } from './acme.ts';
import { directoryAt } from './scripted-ca.fixture.ts';

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
const acme = createAcmeClient({ clock: systemClock() });
let directory: string;
let caPem: string;
let https: Server;
beforeAll(async () => {
  const { authority } = await testAuthority();
  const request = { names: ['127.0.0.1'], keyType: 'ecdsa-p256', lifetimeMs: HOUR_MS } as const;
  const { chainPem: cert, keyPem: key } = await authority.issueServer(request);
  https = createServer({ cert, key }, (_, response) => {
    response.end(JSON.stringify(directoryAt((path) => `${new URL(directory).origin}${path}`)));
  }).listen(0, '127.0.0.1');
  await once(https, 'listening');
  const address = https.address();
  directory = `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/dir`;
  ({ caPem } = authority);
});
afterAll(async () => {
  acme.close();
  https.closeAllConnections();
  await once(https.close(), 'close');
});

test('a CA is trusted by the certificate that is given for it, and by no other', async () => {
  expect(await acme.directory({ directory, caPem }, signal)).toMatchObject({
    hasRenewalInfo: true,
  });
  await expect(acme.directory({ directory }, signal)).rejects.toThrow(/certificate/);
  const other = (await testAuthority()).authority.caPem;
  await expect(acme.directory({ directory, caPem: other }, signal)).rejects.toThrow(/certificate/);
});

test('its certificate must be for its name', async () => {
  const named = directory.replace('127.0.0.1', 'localhost');
  await expect(acme.directory({ directory: named, caPem }, signal)).rejects.toThrow(/localhost/);
});
