import { type Log, silentLog } from '../../../runtime/log.ts';
import { answerQuery } from '../answer.ts';
import { queryBytes } from '../dns.fixture.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { createDnsLimit, type DnsLimit, type DnsLimitSettings } from './limit.ts';

export const STRANGER = '203.0.113.9';
/** Some second of 2026. */
export const NOW_MS = 1_795_000_000_000;

export function limitOf(settings: DnsLimitSettings, log: Log = silentLog): DnsLimit {
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count).fill(7) };
  return createDnsLimit({ settings, random, log });
}

export interface Flood {
  readonly limit: DnsLimit;
  readonly snapshot: DnsSnapshot;
  /** Called with the number of the query, from 0. */
  readonly query: (index: number) => Uint8Array;
  readonly count: number;
  readonly everyMs?: number;
  readonly address?: string;
  readonly transport?: 'udp' | 'tcp';
  readonly hasValidCookie?: () => boolean;
}

export interface Aftermath {
  readonly whole: number;
  readonly cut: number;
  readonly nothing: number;
  readonly queryBytes: number;
  readonly replyBytes: number;
}

/** Asks as fast as told and counts what comes back. */
export function flood(given: Flood): Aftermath {
  const { limit, snapshot, count, everyMs = 0, address = STRANGER, transport = 'udp' } = given;
  const client = { address, transport };
  const tally = { whole: 0, cut: 0, nothing: 0, queryBytes: 0, replyBytes: 0 };
  for (let index = 0; index < count; index += 1) {
    const nowMs = NOW_MS + index * everyMs;
    const query = given.query(index);
    const reply = answerQuery(query, { snapshot, client, nowMs });
    if (reply === undefined) throw new Error('the flood is made of queries');
    const { hasValidCookie = () => false } = given;
    const sent = limit.admit({ query, reply, client, snapshot, nowMs, hasValidCookie });
    tally[sent === undefined ? 'nothing' : sent === reply ? 'whole' : 'cut'] += 1;
    tally.queryBytes += query.length;
    tally.replyBytes += sent?.length ?? 0;
  }
  return tally;
}

export const asking = (name: string, type = 'A') => {
  const query = queryBytes(name, type);
  return () => query;
};
