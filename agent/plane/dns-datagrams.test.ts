import { expect, test } from 'vitest';
import type { DnsDatagram } from '../../runtime/dns/reply.ts';
import { silentLog } from '../../runtime/log.ts';
import type { DnsClient } from '../dns/answer.ts';
import { assertSameAnswer } from '../dns/compiled/check.ts';
import {
  type Draw,
  drawFrom,
  drawQuery,
  drawZones,
  NODES,
} from '../dns/compiled/random-world.fixture.ts';
import { opt, queryBytes } from '../dns/dns.fixture.ts';
import { clientBytes } from '../dns/geo/address.ts';
import { createDnsLimit, DNS_LIMIT } from '../dns/limit/limit.ts';
import { seededRandom } from '../dns/seeded.fixture.ts';
import { createDnsEngine, type DnsEngine } from './dns-engine.ts';
import { testSnapshot } from './plane-fixture.ts';

const SEED = 0xba7c;
const WORLDS = 12;
const QUERIES = 400;
const NOW_MS = 1_800_000_000_000;

async function engineOf(draw: Draw): Promise<DnsEngine> {
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count).fill(9) };
  const settings = { ...DNS_LIMIT, answersPerS: 40, errorsPerS: 20, bucketsMax: 64 };
  const limit = createDnsLimit({ settings, random, log: silentLog });
  const engine = createDnsEngine({
    ...{ nodeName: 'ns', log: silentLog, limit, checkFast: assertSameAnswer },
    identity: { version: 'b8s', name: 'ns' },
  });
  const dns = { zones: drawZones(draw), nodes: NODES, cookieSecrets: [new Uint8Array(16)] };
  await engine.apply(testSnapshot(1, { dns }).dns, []);
  return engine;
}

/** A room as the socket lends it: full of what others left, and used again and again. */
function roomOf(): DnsDatagram & { queryBytes: number; peer: DnsClient } {
  const room = (): Buffer => Buffer.alloc(4096, 0xaa);
  return { query: room(), queryBytes: 0, peer: { address: '', transport: 'udp' }, reply: room() };
}

test(`${WORLDS} worlds (seed ${SEED}): a datagram is answered like any message, also in a flood`, async () => {
  const tally = { whole: 0, cut: 0, nothing: 0 };
  for (let world = 0; world < WORLDS; world += 1) {
    const draw = drawFrom(seededRandom(SEED + world));
    const [lending, copying] = [
      await engineOf(drawFrom(seededRandom(SEED - world))),
      await engineOf(drawFrom(seededRandom(SEED - world))),
    ];
    const plans = drawZones(drawFrom(seededRandom(SEED - world)));
    const datagram = roomOf();
    for (let count = 0; count < QUERIES; count += 1) {
      const query = draw.below(8) === 0 ? oddQuery(draw) : drawQuery(draw, plans);
      const address = draw.pick(['198.51.100.7', '2001:db8::7', '127.0.0.1']);
      const client = { address, transport: 'udp' } as const;
      const nowMs = NOW_MS + count;
      datagram.queryBytes = query.copy(datagram.query);
      datagram.peer = { ...client, bytes: clientBytes(client) };
      const length = lending.serveDatagram(datagram, () => nowMs);
      const expected = copying.serve(query, client, () => nowMs) ?? Buffer.alloc(0);
      expect(
        datagram.reply.toString('hex', 0, length),
        `seed ${SEED + world}, query ${count}: ${query.toString('hex')}`,
      ).toBe(Buffer.from(expected as Uint8Array).toString('hex'));
      const isCut = length > 0 && ((datagram.reply[2] ?? 0) & 0x02) !== 0;
      tally[length === 0 ? 'nothing' : isCut ? 'cut' : 'whole'] += 1;
    }
  }
  // All of it was seen: answers, floods that were cut and dropped, and what gets no answer at all.
  for (const count of Object.values(tally)) expect(count).toBeGreaterThan(0);
});

/** What only the general path can answer, or nobody. */
function oddQuery(draw: Draw): Buffer {
  const whole = draw.pick([
    queryBytes('version.bind', 'TXT'),
    queryBytes('example', 'AXFR'),
    queryBytes('example', 'ANY'),
    queryBytes('example', 'A', opt([{ code: 'NSID', data: Buffer.alloc(0) }])),
    queryBytes('example', 'A', opt([], { ednsVersion: 1 })),
    Buffer.alloc(12),
    Buffer.alloc(600, 7),
  ]);
  return draw.below(3) === 0 ? whole.subarray(0, draw.below(whole.length)) : whole;
}

test('what does not fit the room is an error, and nothing is sent', async () => {
  const engine = await engineOf(drawFrom(seededRandom(SEED)));
  const datagram = { ...roomOf(), reply: Buffer.alloc(20) };
  datagram.queryBytes = queryBytes('example', 'SOA').copy(datagram.query);
  expect(() => engine.serveDatagram(datagram, () => NOW_MS)).toThrow('EMSGSIZE');
});
