import type { TransferPlan, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { DnsReply } from '../../../runtime/dns/reply.ts';
import { answerQuery, type DnsClient } from '../answer.ts';
import { node, records, snapshotOf, zonePlan } from '../dns.fixture.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { TransferBook } from './book.ts';
import { KEY } from './secondary.fixture.ts';
import { Transfers } from './transfers.ts';

/** The world of these tests: seconds since 1970. */
export const NOW_S = 1_800_000_000;
export const SECONDARY: DnsClient = { address: '192.0.2.53', transport: 'tcp' };

/** To 192.0.2.53 with the key of the fixture, unless it says otherwise. */
export function transferPlan(given: Partial<TransferPlan> = {}): TransferPlan {
  return {
    secondaries: [{ address: '192.0.2.53', port: 53, key: KEY }],
    addresses: [],
    ...given,
  };
}

export function transferable(given: Partial<ZonePlan> = {}): ZonePlan {
  return zonePlan('example.com', {
    records: [
      records('example.com', 'NS', 'ns1.example.com.', 'ns2.example.com.'),
      records('ns1.example.com', 'A', '192.0.2.1'),
      records('www.example.com', 'CNAME', 'example.com.'),
      records('example.com', 'TXT', '"one" "two"'),
    ],
    transfer: transferPlan(),
    ...given,
  });
}

/** A nameserver that hands out zones, without sockets. */
export class Primary {
  nowS = NOW_S;
  readonly #transfers = new Transfers();
  readonly book = new TransferBook();
  snapshot: DnsSnapshot = snapshotOf({ zones: [] });

  constructor(...zones: readonly ZonePlan[]) {
    this.serve(...zones);
  }

  serve(...zones: readonly ZonePlan[]): void {
    const nodes = [node('london', { ipv4: ['192.0.2.10'] })];
    this.snapshot = snapshotOf({ zones, nodes });
    this.book.replace(zones, this.snapshot.zones);
  }

  reply(query: Uint8Array, client: DnsClient = SECONDARY): DnsReply | undefined {
    const [snapshot, nowMs] = [this.snapshot, (): number => this.nowS * 1000];
    return this.#transfers.answer(query, {
      ...{ book: this.book, snapshot, client, nowMs },
      answerPlain: (bare) => answerQuery(bare, { snapshot, client, nowMs: nowMs() }),
    });
  }

  /** All messages of the answer. */
  ask(query: Uint8Array, client: DnsClient = SECONDARY): readonly Buffer[] {
    const reply = this.reply(query, client);
    if (reply === undefined) return [];
    if (reply instanceof Uint8Array) return [Buffer.from(reply)];
    const messages: Buffer[] = [];
    for (let next = reply.next(); next !== undefined; next = reply.next()) {
      messages.push(Buffer.from(next));
    }
    reply.end();
    return messages;
  }
}
