import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { Server } from './exchange.ts';

export interface Tampering extends Server {
  close(): void;
}

/** Stands between a resolver and a server, over UDP, and changes what the server says. */
export async function startTampering(
  { address, server }: { readonly address: string; readonly server: Server },
  change: (reply: Buffer) => Buffer,
): Promise<Tampering> {
  const outside = createSocket('udp4');
  outside.bind(0, address);
  await once(outside, 'listening');
  outside.on('message', (query: Buffer, peer: RemoteInfo) => {
    const inside = createSocket('udp4');
    inside.once('message', (reply: Buffer) => {
      outside.send(change(reply), peer.port, peer.address, () => undefined);
      inside.close();
    });
    inside.once('error', () => inside.close());
    inside.send(query, server.port, server.address);
  });
  return { address, port: outside.address().port, close: () => outside.close() };
}

/** Each time that these bytes come, others in their place. */
export function replaced(message: Buffer, from: Buffer, to: Buffer): Buffer {
  const copy = Buffer.from(message);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) to.copy(copy, at);
  return copy;
}
