import { once } from 'node:events';
import { get, type RequestOptions } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterEach, expect, test } from 'vitest';
import { AgentServiceService } from '../../../proto/gen/b8s/v1/agent.ts';
import { IdentityServiceService } from '../../../proto/gen/b8s/v1/identity.ts';
import type { Caller } from '../../caller.ts';
import type { Log } from '../../log.ts';
import { silentLog } from '../../log.ts';
import type { IssuedCertificate } from '../../tls/authority.ts';
import { caHashOf, encodePem } from '../../tls/pem.ts';
import { DOM_SERVER_NAME } from '../../tls/server-names.ts';
import { closeOf } from '../close-of.ts';
import { grpcHandlers } from '../grpc/handlers.ts';
import { HOUR_MS, LONDON, openTestPort, type TestPort, testAuthority } from '../test-port.ts';
import { listenTls } from './port.ts';

const ports: TestPort[] = [];
afterEach(async () => {
  await Promise.all(ports.splice(0).map((port) => port.close()));
});

async function open(options: Parameters<typeof openTestPort>[0] = {}) {
  const port = await openTestPort(options);
  ports.push(port);
  const callers: Caller[] = [];
  const { unary } = grpcHandlers(silentLog);
  const renewed = { chainPem: 'chain', caPem: 'ca' };
  port.server.addService(AgentServiceService, {
    renewCertificate: unary(async (_request, caller) => {
      callers.push(caller);
      return renewed;
    }),
  } as never);
  port.server.addService(IdentityServiceService, {
    join: unary(async (_request, caller) => {
      callers.push(caller);
      return { chainPem: 'chain', caPem: 'ca', nodeUid: 'u', addresses: [] };
    }),
  } as never);
  return { ...port, callers };
}

test('a client certificate becomes the identity of the caller', async () => {
  const { dial, london, callers } = await open();
  await renew(dial(london));
  expect(callers).toEqual([
    { identity: LONDON, peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
  ]);
});

test('without a certificate only Join and health answer', async () => {
  const { dial, callers } = await open();
  const client = dial();
  await expect(renew(client)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  await join(client);
  expect(callers).toMatchObject([{ identity: undefined }]);
  const check = healthService['Check']!;
  const answer = await unaryCall(client, check, { service: '' });
  expect(answer).toMatchObject({ status: 'NOT_SERVING' });
});

test.each([
  { when: 'is of another CA', reason: /SIGNATURE|ISSUER|SELF_SIGNED/, make: foreign },
  { when: 'has expired', reason: /CERT_HAS_EXPIRED/, make: expired },
  { when: 'is for servers only', reason: /PURPOSE/, make: forServers },
])('a peer whose certificate $when is cut off, and the log says why', async ({ make, reason }) => {
  const log = listeningLog();
  const port = await open({ log });
  await expect(join(port.dial(await make(port)))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  expect(port.callers).toEqual([]);
  expect(log.lines).toContainEqual(
    expect.objectContaining({
      message: 'client certificate refused',
      reason: expect.stringMatching(reason),
    }),
  );
});

test('the chain ends in the CA, so that a machine that joins can pin it', async () => {
  const { port, authority } = await open();
  const socket = await handshake({ port: port.port, rejectUnauthorized: false });
  const { issuerCertificate } = socket.getPeerCertificate(true);
  expect(caHashOf(encodePem('CERTIFICATE', issuerCertificate.raw))).toBe(authority.caHash);
  expect(socket.getProtocol()).toBe('TLSv1.3');
  socket.destroy();
});

test.each(['TLSv1.3', 'TLSv1.2'] as const)(
  'no %s session is resumed: each connection proves itself anew',
  async (maxVersion) => {
    const { port, authority, london, callers } = await open();
    const options = { port: port.port, ca: authority.caPem, maxVersion, ...pair(london) };
    const first = await handshake(options);
    first.write('GET /healthz HTTP/1.1\r\nhost: dom\r\n\r\n');
    await once(first, 'data');
    const session = first.getSession();
    first.destroy();
    const second = await handshake({ ...options, ...(session !== undefined && { session }) });
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
    expect(callers).toEqual([]);
  },
);

test('HTTP/1.1 is served at the same port', async () => {
  const { port, authority, london } = await open();
  const options = { port: port.port, ca: authority.caPem };
  expect(await fetchText('/healthz', options)).toEqual({ status: 200, body: 'ok\n' });
  expect(await fetchText('/metrics', options)).toMatchObject({ status: 401 });
  expect(await fetchText('/metrics?x', { ...options, ...pair(london) })).toEqual({
    status: 200,
    body: 'up 1\n',
  });
  expect(await fetchText('/other', options)).toMatchObject({ status: 404 });
});

test('whoever speaks both protocols, as curl does, gets HTTP/1.1', async () => {
  const { port, authority } = await open();
  const ALPNProtocols = ['h2', 'http/1.1'];
  const socket = await handshake({ port: port.port, ca: authority.caPem, ALPNProtocols });
  expect(socket.alpnProtocol).toBe('http/1.1');
  socket.destroy();
});

test('the server certificate is swapped while a stream stays open', async () => {
  const { port, authority, dial, london, newServerCertificate, setServing } = await open();
  const before = await serverFingerprint(port.port);
  const watch = healthService['Watch']!;
  const stream = dial(london).makeServerStreamRequest(
    watch.path,
    watch.requestSerialize,
    watch.responseDeserialize,
    { service: '' },
  );
  const states: unknown[] = [];
  stream.on('data', (state) => states.push(state));
  stream.on('error', () => undefined);
  await once(stream, 'data');
  const next = await newServerCertificate();
  port.setCredentials({ certPem: next.chainPem, keyPem: next.keyPem, caPem: authority.caPem });
  expect(await serverFingerprint(port.port)).toBe(next.fingerprint);
  expect(before).not.toBe(next.fingerprint);
  setServing('SERVING');
  await once(stream, 'data');
  expect(states).toEqual([{ status: 'NOT_SERVING' }, { status: 'SERVING' }]);
  await renew(dial(london));
});

test('a connection lasts no longer than its certificate', async () => {
  const { port, authority } = await open();
  const lifetimeMs = 1_500;
  const brief = await authority.issueClient({ identity: LONDON, lifetimeMs });
  const socket = await handshake({ port: port.port, ca: authority.caPem, ...pair(brief) });
  await closeOf(socket);
  // A timer may fire a millisecond early.
  expect(Date.now()).toBeGreaterThan(brief.notAfterMs - 2);
});

test('a connection without a certificate does not last long', async () => {
  const { port, authority } = await open({ limits: { anonymousLifetimeMs: 50 } });
  const socket = await handshake({ port: port.port, ca: authority.caPem });
  await closeOf(socket);
});

test('a connection without a certificate takes no more than a join needs', async () => {
  const { port, authority } = await open({ limits: { anonymousBytesMax: 10_000 } });
  const socket = await handshake({ port: port.port, ca: authority.caPem });
  // It may be reset while it is still being written to.
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(Buffer.alloc(100_000));
  await closed;
});

test('connections that never shake hands are bounded in time and number', async () => {
  const { port, authority } = await open({
    limits: { handshakesMax: 2, handshakeTimeoutMs: 3_000 },
  });
  const idle = [await dialTcp(port.port), await dialTcp(port.port)];
  const third = await dialTcp(port.port);
  await closeOf(third);
  expect(idle.map((socket) => socket.destroyed)).toEqual([false, false]);
  await Promise.all(idle.map((socket) => closeOf(socket)));
  const socket = await handshake({ port: port.port, ca: authority.caPem });
  socket.destroy();
});

test('more connections than allowed are dropped; nonsense ends nothing', async () => {
  const { port, dial, london } = await open({ limits: { connectionsMax: 3 } });
  const noise = await dialTcp(port.port);
  noise.write('GET / HTTP/1.1\r\n\r\n');
  await closeOf(noise);
  const held = [await dialTcp(port.port), await dialTcp(port.port), await dialTcp(port.port)];
  const fourth = await dialTcp(port.port);
  await closeOf(fourth);
  for (const socket of held) socket.destroy();
  await expect.poll(() => port.connectionCount()).toBe(0);
  await renew(dial(london));
});

test('a port that is taken is said to be', async () => {
  const { port } = await open();
  const other = await open();
  const certificate = await other.newServerCertificate();
  const listening = listenTls({
    host: '127.0.0.1',
    port: port.port,
    credentials: {
      certPem: certificate.chainPem,
      keyPem: certificate.keyPem,
      caPem: other.authority.caPem,
    },
    grpc: other.server,
    http: async () => ({ status: 200, contentType: 'text/plain', body: '' }),
    log: silentLog,
  });
  await expect(listening).rejects.toThrow(`listen on 127.0.0.1 port ${port.port}`);
});

async function foreign() {
  return (await testAuthority()).authority.issueClient({ identity: LONDON, lifetimeMs: HOUR_MS });
}

async function expired({ expired: certificate }: TestPort) {
  return certificate;
}

async function forServers({ authority }: TestPort) {
  return authority.issueServer({ names: ['x.test'], keyType: 'ecdsa-p256', lifetimeMs: HOUR_MS });
}

function renew(client: Client) {
  return unaryCall(client, AgentServiceService.renewCertificate, { csr: Buffer.alloc(0) });
}

function join(client: Client) {
  const request = { token: '', node: '', csr: Buffer.alloc(0), specJson: '', agentVersion: '' };
  return unaryCall(client, IdentityServiceService.join, request);
}

function unaryCall<Request, Response>(
  client: Client,
  method: {
    readonly path: string;
    readonly requestSerialize: (request: Request) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => Response;
  },
  request: Request,
): Promise<Response | undefined> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      (error: ServiceError | null, response) =>
        error === null ? resolve(response) : reject(error),
    );
  });
}

function pair({ chainPem, keyPem }: IssuedCertificate) {
  return { cert: chainPem, key: keyPem };
}

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', servername: DOM_SERVER_NAME, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

async function serverFingerprint(port: number): Promise<string> {
  const socket = await handshake({ port, rejectUnauthorized: false });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

async function dialTcp(port: number): Promise<Socket> {
  const socket = connectTcp({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

function fetchText(path: string, options: RequestOptions) {
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const request = { host: '127.0.0.1', servername: DOM_SERVER_NAME, agent: false, path };
    get({ ...request, ...options }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    }).on('error', reject);
  });
}

function listeningLog(): Log & { readonly lines: object[] } {
  const lines: object[] = [];
  const keep = (fields: object, message: string) => void lines.push({ ...fields, message });
  const log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log, lines };
  return log;
}
