import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A message as it goes over TCP, after its length. */
export function frame(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length >> 8, text.length & 0xff), Buffer.from(text)]);
}

/** A connection that may stay open for writing or reading alone. */
export function dial(port: number, host = '127.0.0.1'): Socket {
  const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

/** Reads until `bytes` have come or the connection ends. */
export async function read(socket: Duplex, bytes: number): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length >= bytes) break;
  }
  return text;
}
