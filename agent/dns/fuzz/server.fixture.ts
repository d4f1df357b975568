import { silentLog } from '../../../runtime/log.ts';
import { createDnsEngine, type DnsEngine } from '../../plane/dns-engine.ts';
import type { DnsClient } from '../answer.ts';
import { opt, queryBytes, records, zonePlan } from '../dns.fixture.ts';
import { zoneKey } from '../dnssec/signed.fixture.ts';
import { EXAMPLE, NODES } from '../example.fixture.ts';
import { SECONDARY, transferPlan } from '../transfer/primary.fixture.ts';
import { signed, transferQuery } from '../transfer/secondary.fixture.ts';
import type { FuzzTarget } from './guided.fixture.ts';
import { checkReply } from './oracle.fixture.ts';

const NOW_MS = 1_795_000_000_000;
/** More messages than the zone can fill, so that a stream without an end is seen. */
const MESSAGES_MAX = 100;

/** A nameserver with something of everything: signed, secondaries, cookies, an identity. */
export const engine: DnsEngine = createDnsEngine({
  ...{ nodeName: 'fuzzed', log: silentLog, identity: { version: 'b8s', name: 'fuzzed' } },
});
const report = await engine.apply(
  {
    zones: [
      { ...EXAMPLE, transfer: transferPlan() },
      zonePlan('signed.test', {
        keys: [zoneKey('fuzz')],
        records: [
          records('signed.test', 'NS', 'ns.signed.test.'),
          records('*.signed.test', 'TXT', '"wild"'),
          records('sub.signed.test', 'NS', 'ns.sub.signed.test.'),
          records('alias.signed.test', 'CNAME', 'site.example.com.'),
          records('loan.signed.test', 'ALIAS', 'site.example.com.'),
        ],
      }),
    ],
    ...{ nodes: NODES, databases: [], health: {} },
    cookieSecrets: [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)],
  },
  [],
);
for (const { error } of report.zones) if (error !== undefined) throw new Error(error);

const plain = [
  ...[
    'signed.test',
    'no.signed.test',
    'x.sub.signed.test',
    'alias.signed.test',
    'loan.signed.test',
  ].flatMap((name) =>
    ['A', 'TXT', 'DS', 'DNSKEY'].map((type) => queryBytes(name, type, opt([], { flags: 0x8000 }))),
  ),
  queryBytes('site.example.com', 'A', opt([{ code: 10, data: Buffer.alloc(8, 3) }])),
];
/** The first bits of the id choose who asks: see `peerOf`. */
const transfers = [undefined, 1, EXAMPLE.serial].map((serial) => {
  const query = transferQuery('example.com', {
    id: 0x8fff,
    ...(serial !== undefined && { serial }),
  });
  return signed(query, { timeS: NOW_MS / 1000 }).bytes;
});

/**
 * All that comes over a socket, as a worker answers it: compiled answers, cookies, signed zones,
 * transfers and the signatures of requests.
 */
export const serverTarget: FuzzTarget = {
  name: 'server',
  seeds: [...plain, ...transfers],
  words: [
    Buffer.from('00fa00ff00000000', 'hex'),
    Buffer.from('\x0bhmac-sha256\0', 'latin1'),
    Buffer.from('\x08transfer\x07example\0', 'latin1'),
    ...[...plain, ...transfers].map((query) => query.subarray(12)),
  ],
  bytesMax: 1200,
  check(query) {
    const peer = peerOf(query);
    const reply = engine.serve(query, peer, () => NOW_MS);
    if (reply === undefined || reply instanceof Uint8Array) {
      checkReply(query, reply && Buffer.from(reply), peer.transport);
      return;
    }
    try {
      if (peer.transport === 'udp') throw new Error('not so: a stream is no answer to a datagram');
      let count = 0;
      for (let bytes = reply.next(); bytes !== undefined; bytes = reply.next()) {
        checkReply(query, Buffer.from(bytes), peer.transport);
        count += 1;
        if (count > MESSAGES_MAX) throw new Error('not so: a stream ends');
      }
      if (count === 0) throw new Error('not so: a query is answered');
    } finally {
      reply.end();
    }
  },
};

function peerOf(query: Buffer): DnsClient {
  const first = query[0] ?? 0;
  if ((first & 0x0f) !== 0) {
    return { ...SECONDARY, transport: first >= 0x80 ? 'tcp' : 'udp' };
  }
  return { address: '2001:db8::7', transport: (first & 0x40) === 0 ? 'udp' : 'tls' };
}
