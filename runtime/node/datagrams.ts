import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { DatagramExchange, Datagrams } from '../dns/datagrams.ts';

/** `from`: addresses to send from, whatever an exchange says: behind a translating router. */
export function nodeDatagrams({ from }: { readonly from?: readonly string[] } = {}): Datagrams {
  return {
    exchange: async (exchange, signal) => {
      if (signal.aborted) return undefined;
      const over = AbortSignal.any([signal, AbortSignal.timeout(exchange.timeoutMs)]);
      const socket = await boundSocket({ ...exchange, from: from ?? exchange.from });
      try {
        return await exchangeOver(socket, exchange, over);
      } finally {
        socket.close();
      }
    },
  };
}

/** An address that this machine does not have (any more) is passed over. */
async function boundSocket({ address, from }: DatagramExchange): Promise<Socket> {
  const isSameFamily = (other: string): boolean => isIPv6(other) === isIPv6(address);
  for (const own of from.filter(isSameFamily)) {
    const socket = newSocket(address);
    try {
      await bind(socket, own);
      return socket;
    } catch {
      socket.close();
    }
  }
  return newSocket(address);
}

function newSocket(address: string): Socket {
  return createSocket(isIPv6(address) ? 'udp6' : 'udp4');
}

async function bind(socket: Socket, address: string): Promise<void> {
  socket.bind({ address, port: 0 });
  await once(socket, 'listening');
}

function exchangeOver(
  socket: Socket,
  { address, port, message, isReply }: DatagramExchange,
  over: AbortSignal,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const giveUp = (): void => resolve(undefined);
    // A port that nobody listens at is told of here, too.
    socket.on('error', giveUp);
    socket.on('message', (reply: Buffer, peer: RemoteInfo) => {
      if (peer.port !== port || !isSameAddress(peer.address, address)) return;
      if (isReply(reply)) resolve(reply);
    });
    over.addEventListener('abort', giveUp, { once: true });
    // It may have been while the socket was bound.
    if (over.aborted) return giveUp();
    socket.send(message, port, address, (error) => {
      if (error !== null) giveUp();
    });
  });
}

/** The system writes an IPv6 address in its own way. */
function isSameAddress(one: string, other: string): boolean {
  if (one === other) return true;
  return isIPv6(one) && isIPv6(other) && canonical(one) === canonical(other);
}

function canonical(address: string): string {
  return new URL(`http://[${address.split('%')[0]}]`).hostname;
}
