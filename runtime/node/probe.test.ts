import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HEALTH_PATH } from '../probe.ts';
import { httpProbe } from './probe.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener, host = '127.0.0.1'): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const probe = httpProbe({ timeoutMs: 10_000 });
const never = new AbortController().signal;

test.each([
  { when: '200', status: 200, reachable: true },
  { when: '204', status: 204, reachable: false },
  { when: 'a redirect', status: 302, reachable: false },
  { when: '503', status: 503, reachable: false },
])('$when: $reachable', async ({ status, reachable }) => {
  const httpPort = await serve((request, response) => {
    response.writeHead(request.url === HEALTH_PATH ? status : 404).end('x'.repeat(100_000));
  });
  const target = { node: 'a', address: '127.0.0.1', httpPort };
  expect(await probe.probe(target, never)).toBe(reachable);
});

test('IPv6, a body that never ends, and a new connection each time', async () => {
  const ports = new Set<number | undefined>();
  const httpPort = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.writeHead(200).write('x');
  }, '::1');
  const target = { node: 'a', address: '::1', httpPort };
  expect(await probe.probe(target, never)).toBe(true);
  expect(await probe.probe(target, never)).toBe(true);
  expect(ports.size).toBe(2);
});

test('silence, a closed port and an abort are all unreachable', async () => {
  const silent = await serve(() => undefined);
  const target = { node: 'a', address: '127.0.0.1', httpPort: silent };
  expect(await httpProbe({ timeoutMs: 200 }).probe(target, never)).toBe(false);
  expect(await probe.probe(target, AbortSignal.abort())).toBe(false);
  expect(await probe.probe({ ...target, httpPort: 1 }, never)).toBe(false);
});
