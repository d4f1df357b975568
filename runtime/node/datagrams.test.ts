import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { type DatagramsUnderTest, datagramsCases } from '../dns/datagrams.case.ts';
import type { DatagramPeer } from '../dns/memory-datagrams.ts';
import { nodeDatagrams } from './datagrams.ts';

const HOST = '127.0.0.1';

async function bound(address = HOST): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

async function open(): Promise<DatagramsUnderTest> {
  const sockets: Socket[] = [];
  async function peer(answer: DatagramPeer) {
    const [socket, elsewhere] = [await bound(), await bound()];
    sockets.push(socket, elsewhere);
    socket.on('message', (message, { port, address }) => {
      for (const reply of answer(message)) {
        (reply.port === undefined ? socket : elsewhere).send(reply.message, port, address);
      }
    });
    return { address: HOST, port: socket.address().port };
  }
  async function nobody() {
    const socket = await bound();
    const { port } = socket.address();
    socket.close();
    return { address: HOST, port };
  }
  return {
    datagrams: nodeDatagrams(),
    peer,
    nobody,
    close: async () => sockets.forEach((socket) => socket.close()),
  };
}

datagramsCases('datagrams of this machine', open);

test.each([
  { when: 'as the exchange says', given: {}, from: ['127.0.0.53'], seen: '127.0.0.53' },
  {
    when: 'as the machine says, whatever the exchange does',
    given: { from: ['127.0.0.54'] },
    from: ['127.0.0.53'],
    seen: '127.0.0.54',
  },
])('are sent from the address: $when', async ({ given, from, seen }) => {
  const socket = await bound();
  socket.on('message', (_message, { port, address }) => socket.send(address, port, address));
  const reply = await nodeDatagrams(given).exchange(
    {
      ...{ address: HOST, port: socket.address().port, from, message: Buffer.from('ask') },
      ...{ isReply: () => true, timeoutMs: 2000 },
    },
    new AbortController().signal,
  );
  socket.close();
  expect(String(reply)).toBe(seen);
});

test('over IPv6, however the address is written', async () => {
  const socket = await bound('::1');
  socket.on('message', (message, { port, address }) => socket.send(message, port, address));
  const reply = await nodeDatagrams().exchange(
    {
      ...{ address: '0:0::1', port: socket.address().port, from: [], message: Buffer.from('six') },
      ...{ isReply: () => true, timeoutMs: 2000 },
    },
    new AbortController().signal,
  );
  socket.close();
  expect(String(reply)).toBe('six');
});
