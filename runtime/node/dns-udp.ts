import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { DnsAnswerer } from '../dns-reply.ts';
import type { BoundSocket } from './dns-listener.ts';

/** Room for bursts while the thread is busy; the kernel may grant less. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** Answers handed to the kernel and not yet taken; more are dropped, and resolvers ask again. */
const SENDS_PENDING_MAX = 4096;

export interface UdpOptions {
  readonly host: string;
  readonly port: number;
  readonly answer: DnsAnswerer;
  readonly onError: (error: Error) => void;
}

/** One UDP socket; rejects when it cannot be bound, and after that never fails. */
export async function listenUdp({ host, port, answer, onError }: UdpOptions): Promise<BoundSocket> {
  const socket = createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    ipv6Only: isIPv6(host),
    reusePort: true,
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
    // Peers are always addresses: nothing to look up, no extra turn of the event loop.
    lookup: (address, _options, callback) => callback(null, address, isIPv6(address) ? 6 : 4),
  });
  // With that lookup the event may come before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind({ address: host, port });
  await listening.catch((error: unknown) => {
    socket.close();
    throw error;
  });
  let pending = 0;
  // EMSGSIZE, ECONNREFUSED of an earlier send and the like: that one answer is lost, no more.
  const sent = (error: Error | null): void => {
    pending -= 1;
    if (error !== null) onError(error);
  };
  socket.on('error', onError);
  socket.on('message', (query: Buffer, peer: RemoteInfo) => {
    // Nothing can be sent to port 0: the source was forged.
    if (peer.port === 0 || pending >= SENDS_PENDING_MAX) return;
    try {
      const reply = answer(query, { address: peer.address, transport: 'udp' });
      if (reply === undefined) return;
      // Several messages fit no datagram; whoever answers so has a bug, which harms nobody.
      if (!(reply instanceof Uint8Array)) return reply.end();
      pending += 1;
      socket.send(reply, peer.port, peer.address, sent);
    } catch (error) {
      onError(error as Error);
    }
  });
  return {
    address: socket.address(),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
