import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';

/** TCP ports on 127.0.0.1 that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Below what the kernel gives to outgoing connections, which could take a port meanwhile. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/**
 * Ports, all different, that are free at every one of the addresses, for TCP and UDP. They stay
 * free while what listened there is dead: a killed process must find its port again.
 */
export async function freePortsAt(
  addresses: readonly string[],
  count: number,
): Promise<readonly number[]> {
  const ports: number[] = [];
  let port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
  for (let tries = 0; tries < HIGHEST - LOWEST && ports.length < count; tries += 1) {
    port = port >= HIGHEST ? LOWEST : port + 1;
    if (await portsFree(addresses, port)) ports.push(port);
  }
  if (ports.length < count) throw new Error(`no ${count} free ports at ${addresses.join(', ')}`);
  return ports;
}

/** Whether nothing listens there: a process that ended has given its ports back. */
export async function portsFree(addresses: readonly string[], port: number): Promise<boolean> {
  for (const address of addresses) {
    if (!(await tcpFree(address, port)) || !(await udpFree(address, port))) return false;
  }
  return true;
}

async function tcpFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, address, () => resolve(true));
  });
  if (free) await new Promise((closed) => server.close(closed));
  return free;
}

async function udpFree(address: string, port: number): Promise<boolean> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const free = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, address, () => resolve(true));
  });
  await new Promise<void>((closed) => socket.close(() => closed()));
  return free;
}
