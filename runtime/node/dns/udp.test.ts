import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { DnsAnswerer } from '../../dns/reply.ts';
import { findAddon } from '../udp-batch/addon.ts';
import { udpCases } from './udp.case.ts';
import { listenBatched } from './udp-batch.ts';
import { listenPlain } from './udp-plain.ts';

udpCases('node:dgram', listenPlain);

const found = findAddon();
if (found.kind === 'found') {
  const { addon } = found;
  udpCases('the addon', (options) => listenBatched(options, addon));

  // What node:dgram cannot do: it leaves the source of an answer to the routes.
  test.each([
    { every: '0.0.0.0', at: ['127.0.0.1', '127.0.0.53', '127.9.9.9'] },
    { every: '::', at: ['::1'] },
  ])('the addon, bound to $every: answers come from where was asked', async ({ every, at }) => {
    const answer: DnsAnswerer = (query, { address }) => Buffer.from(`${String(query)} ${address}`);
    const onError = (error: Error): void => {
      throw error;
    };
    const server = await listenBatched({ host: every, port: 0, answer, onError }, addon);
    for (const host of [...at, ...at]) {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      // The kernel takes answers from there alone.
      socket.connect(server.address.port, host);
      await once(socket, 'connect');
      socket.send('from');
      const [reply] = (await once(socket, 'message')) as [Buffer];
      expect(String(reply)).toBe(`from ${socket.address().address}`);
      socket.close();
    }
    await server.close();
  });
} else {
  describe('the addon', () => {
    test.skip(found.problem, () => undefined);
  });
}
