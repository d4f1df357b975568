import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import {
  DATAGRAM_BYTES_MAX,
  SOCKET_BUFFER_BYTES,
  type UdpOptions,
  type UdpSocket,
} from './udp-socket.ts';

/** Answers handed to the kernel and not yet taken; more are dropped, and resolvers ask again. */
const SENDS_PENDING_MAX = 4096;
/** How many more there may be until it is noticed: to look costs more than most answers. */
const SENDS_BETWEEN_CHECKS = 64;

/** A socket of node:dgram, which everything has; see `listenUdp`. */
export async function listenPlain({ host, port, answer, onError }: UdpOptions): Promise<UdpSocket> {
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
  let untilCheck = SENDS_BETWEEN_CHECKS;
  let isCrowded = false;
  socket.on('error', onError);
  socket.on('message', (query: Buffer, peer: RemoteInfo) => {
    untilCheck -= 1;
    if (untilCheck <= 0) {
      isCrowded = socket.getSendQueueCount() >= SENDS_PENDING_MAX;
      untilCheck = isCrowded ? 1 : SENDS_BETWEEN_CHECKS;
    }
    // Nothing can be sent to port 0: the source was forged.
    if (peer.port === 0 || isCrowded || !isOfSize(query)) return;
    try {
      const reply = answer(query, { address: peer.address, transport: 'udp' });
      if (reply === undefined) return;
      // Several messages fit no datagram; whoever answers so has a bug, which harms nobody.
      if (!(reply instanceof Uint8Array)) return reply.end();
      if (!isOfSize(reply)) throw new RangeError(`EMSGSIZE: ${reply.length} bytes`);
      // Nobody waits for what becomes of it: an answer that the kernel does not take (ECONNREFUSED
      // of an earlier one) is lost, no more. A callback would cost half a microsecond.
      if (reply.length > 0) socket.send(reply, peer.port, peer.address);
    } catch (error) {
      onError(error as Error);
    }
  });
  return {
    address: socket.address(),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function isOfSize({ length }: Uint8Array): boolean {
  return length <= DATAGRAM_BYTES_MAX;
}
