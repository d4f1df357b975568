import type { Socket } from 'node:net';

/**
 * Resolves once a socket is closed, by whomever and however; never rejects. `once` of `node:events`
 * would for a peer that resets its connection, for that is an error before it is an end.
 */
export function closeOf(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.on('error', () => undefined).once('close', () => resolve());
  });
}
