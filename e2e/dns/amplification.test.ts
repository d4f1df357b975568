import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answerQuery } from '../../agent/dns/answer.ts';
import { snapshotOf } from '../../agent/dns/dns.fixture.ts';
import { flood, limitOf } from '../../agent/dns/limit/limit.fixture.ts';
import { DNS_LIMIT } from '../../agent/dns/limit/limit.ts';
import { DO, optBytes, questionBytes, unescaped } from './support/query.ts';
import { testZones, zonePlan } from './support/zones.ts';

/** What a nameserver is good for to those who forge addresses: bytes out for bytes in, over UDP. */
const client = { address: '203.0.113.9', transport: 'udp' } as const;
const zones = testZones(1);
const snapshot = snapshotOf({ zones: zones.map(zonePlan) });
const docs = readFileSync(
  join(import.meta.dirname, '..', '..', 'docs', 'dns.md'),
  'utf8',
).replaceAll(/\s+/g, ' ');

interface Exchange {
  readonly what: string;
  readonly query: Buffer;
  readonly replyBytes: number;
}

const factor = ({ query, replyBytes }: Exchange): number => replyBytes / query.length;

/** Each rrset of every zone, ANY, and a name that is not there; without EDNS, with it and with DO. */
function exchanges(): readonly Exchange[] {
  const options = [undefined, optBytes(), optBytes({ flags: DO })];
  return zones.flatMap(({ rows }) =>
    rows.flatMap(([owner, , type]) => {
      const name = unescaped(owner);
      const asked = [
        ...[type, 'ANY', 'SOA'].map((each) => [name, each] as const),
        [`no.${name}`, type] as const,
      ];
      return asked.flatMap(([each, wanted]) =>
        options.map((edns) => exchange(questionBytes(each, wanted, { edns }), `${each} ${wanted}`)),
      );
    }),
  );
}

function exchange(query: Buffer, what: string): Exchange {
  const reply = answerQuery(query, { snapshot, client, nowMs: 0 });
  return { what, query, replyBytes: reply?.length ?? 0 };
}

test('the amplification factor that the docs state is the worst of the whole case zones', () => {
  const all = exchanges();
  expect(all.length).toBeGreaterThan(1000);
  const worst = all.reduce((a, b) => (factor(b) > factor(a) ? b : a));
  const stated = /at most \*\*(\d+)\*\* bytes come back for each byte/.exec(docs)?.[1];
  expect(Math.ceil(factor(worst)), JSON.stringify(worst.what)).toBe(Number(stated));

  // Ten seconds of 20,000 a second, the default limits.
  const query = () => worst.query;
  const given = { limit: limitOf(DNS_LIMIT), snapshot, query, count: 200_000, everyMs: 0.05 };
  const { queryBytes, replyBytes } = flood(given);
  const statedLimited = /under the default limits \*\*(\d\.\d)\*\*/.exec(docs)?.[1];
  expect((replyBytes / queryBytes).toFixed(1)).toBe(statedLimited);
});
