import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import packet from 'dns-packet';
import { clientSubnet, lines, opt, queryBytes } from '../../agent/dns/dns.fixture.ts';

export const HOST = '127.0.0.1';
const TRY_MS = 250;

/** What a server answers to a client of a network, as text; empty: nothing at all. */
export async function ask(asked: {
  readonly name: string;
  readonly type: 'A' | 'TXT';
  readonly port: number;
  /** First address of a network of 24 bits. */
  readonly subnet: string;
}): Promise<readonly string[]> {
  const socket = createSocket('udp4');
  try {
    const extra = opt([clientSubnet(asked.subnet, 24)]);
    socket.send(queryBytes(asked.name, asked.type, extra), asked.port, HOST);
    const signal = AbortSignal.timeout(TRY_MS);
    const [reply] = (await once(socket, 'message', { signal })) as [Buffer];
    return lines(packet.decode(reply).answers);
  } catch {
    return [];
  } finally {
    socket.close();
  }
}
