import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';

/** Below what the kernel gives out, to outgoing connections and to who asks for any port. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

let last = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));

/**
 * Ports, all different, that nobody has at any of the addresses, for TCP and UDP: also nobody who
 * would share them (SO_REUSEPORT). They stay free while what listened there is dead: a killed
 * process must find its port again. Errors: rejects where there are not so many.
 */
export async function freePortsAt(
  addresses: readonly string[],
  count: number,
): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let tries = 0; tries < HIGHEST - LOWEST && ports.length < count; tries += 1) {
    last = last >= HIGHEST ? LOWEST : last + 1;
    const port = last;
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
  if (free) await once(server.close(), 'close');
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
