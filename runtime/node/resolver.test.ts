import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import packet from 'dns-packet';
import { resolverCases } from '../dns/resolver.case.ts';
import { nodeResolver } from './resolver.ts';

/** A resolver on loopback that knows a few names. */
resolverCases(async ({ records, failing, hanging }) => {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, peer) => {
    const query = packet.decode(bytes);
    const { name = '', type = '' } = query.questions?.[0] ?? {};
    if (hanging.includes(name)) return;
    const alias = records.find((record) => record.name === name && record.type === 'CNAME');
    const owner = alias?.value ?? name;
    const found = records.filter((record) => record.name === owner && record.type === type);
    const answers = [...(alias === undefined ? [] : [alias]), ...found].map((record) => ({
      ...{ type: record.type, name: record.name, ttl: record.ttlS, data: record.value },
    }));
    const known = records.some((record) => record.name === name);
    const rcode = failing.includes(name) ? 2 : known ? 0 : 3;
    const { id = 0, questions = [] } = query;
    const reply = packet.encode({
      type: 'response',
      id,
      flags: 0x8180 | rcode,
      questions,
      answers,
    });
    socket.send(reply, peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    resolver: nodeResolver({ servers: [`127.0.0.1:${socket.address().port}`], timeoutMs: 5_000 }),
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
});
