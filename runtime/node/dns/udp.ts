import { type FoundAddon, findAddon } from '../udp-batch/addon.ts';
import { listenBatched } from './udp-batch.ts';
import { listenPlain } from './udp-plain.ts';
import type { UdpOptions, UdpSocket } from './udp-socket.ts';

/**
 * One UDP socket, shared (SO_REUSEPORT) with others at the same address and port: many datagrams in
 * one call to the kernel where the addon was built, else one at a time by node:dgram.
 *
 * Guarantees
 * - Rejects when it cannot be bound, and after that never fails: what goes wrong is told to
 *   `onError`, and costs the datagrams that it concerns.
 * - One answer at most to each query (INV-25), to where it came from, from the address it was sent
 *   to; none to port 0, none that is longer than `DATAGRAM_BYTES_MAX`, and none to a query that is.
 *   (A socket of node:dgram that is bound to every address leaves the source to the routes.)
 * - What the kernel has no room for is lost: nothing is queued here but what one batch holds, or by
 *   node:dgram 4,096 answers. Resolvers ask again.
 * - After `close` nothing is answered but what was being answered.
 *
 * Assumptions: neither answerer waits for anything.
 */
export function listenUdp(
  options: UdpOptions,
  found: FoundAddon = findAddon(),
): Promise<UdpSocket> {
  return found.kind === 'found' ? listenBatched(options, found.addon) : listenPlain(options);
}
