import { canonicalValue } from '../../api/records.ts';
import { AWAY_GRACE_MS, BEHIND_GRACE_MS } from '../../runtime/acme/proof-standing.ts';
import { type DnsClient, DnsType } from '../../runtime/dns/client.ts';
import type { PublicDns } from '../../runtime/dns/public-dns.ts';
import { isSerialGreater } from '../../runtime/dns/serial.ts';
import type { ZoneRecord } from '../../runtime/store/records.ts';

/** Between two looks at those who are behind: sooner at first. */
const LOOK_MS_MIN = 2_000;
const LOOK_MS_MAX = 30_000;

/** A zone with proofs in it that every name server of it should have by now. */
export interface ProvenZone {
  /** `namespace/name`. */
  readonly zone: string;
  readonly record: ZoneRecord;
  /** The version that has the proofs. */
  readonly serial: number;
  /** Since when it is to be there. */
  readonly sinceMs: number;
}

/** How name servers of others stand that take the zone by transfer, and that a CA may ask. */
export interface OutsideStanding {
  /** Who is waited for, for a person: "192.0.2.53 (has 7 instead of 9)"; empty: nobody. */
  readonly waitedFor: readonly string[];
  /** Addresses of those that were waited for long enough, or are of no use. */
  readonly aside: readonly string[];
  /** When to look again. */
  readonly recheckInMs: number;
}

/**
 * Asks the secondaries of a zone that its NS records name which version they have: nobody reports
 * for them, and a CA asks any of them (RFC 8555 §8.4). Never throws.
 */
export async function askOutside(
  ports: { readonly dns: DnsClient; readonly publicDns: PublicDns | undefined },
  { record, serial, sinceMs }: ProvenZone,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<OutsideStanding> {
  const secondaries = record.transfer?.secondaries ?? [];
  if (secondaries.length === 0) return { waitedFor: [], aside: [], recheckInMs: Infinity };
  const named = await addressesOf(ports, record, signal);
  // Listed twice while its key is changed, it is asked once.
  const servers = new Map(secondaries.map((each) => [`${each.address} ${each.port}`, each]));
  const asked = [...servers.values()].filter(
    ({ address }) => named === 'unknown' || named.has(canonical(address)),
  );
  const looked = await Promise.all(
    asked.map(async ({ address, port }) => {
      const held = await serialAt(ports.dns, { record, address, port }, signal);
      return { address, held };
    }),
  );
  const lacking = looked.filter(({ held }) => held !== serial && !isNewer(held, serial));
  const patience = lacking.map(({ address, held }) => {
    const graceMs = held === undefined ? AWAY_GRACE_MS : BEHIND_GRACE_MS;
    // A clock that went back must not make the wait longer than the grace.
    return { address, held, leftMs: Math.min(graceMs, sinceMs + graceMs - nowMs) };
  });
  const waitedFor = patience.filter(({ leftMs }) => leftMs > 0);
  const growingMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, (nowMs - sinceMs) / 4));
  return {
    waitedFor: waitedFor.map(({ address, held }) =>
      held === undefined
        ? `${address} (does not answer)`
        : `${address} (has ${held} instead of ${serial})`,
    ),
    aside: patience.filter(({ leftMs }) => leftMs <= 0).map(({ address }) => address),
    recheckInMs: Math.ceil(Math.min(growingMs, ...waitedFor.map(({ leftMs }) => leftMs))),
  };
}

function isNewer(held: number | undefined, serial: number): boolean {
  return held !== undefined && isSerialGreater(held, serial);
}

/** Of the names of the zone's NS set; `unknown`: of one nobody could tell, so all may be. */
async function addressesOf(
  { publicDns }: { readonly publicDns: PublicDns | undefined },
  { origin, records }: ZoneRecord,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | 'unknown'> {
  const set = records.find(({ name, type }) => name === origin && type === 'NS');
  const names = (set?.values ?? []).map((value) => value.toLowerCase().replace(/\.$/, ''));
  const found = await Promise.all(
    names.map(async (name) => {
      const own = records.filter((each) => each.name === name && ADDRESSES.has(each.type));
      if (own.length > 0) return own.flatMap(({ values }) => values);
      if (publicDns === undefined) return 'unknown' as const;
      const both = [publicDns.lookup(name, 'A', signal), publicDns.lookup(name, 'AAAA', signal)];
      return await Promise.all(both).then(
        (lists) => lists.flat(),
        () => 'unknown' as const,
      );
    }),
  );
  if (found.includes('unknown')) return 'unknown';
  return new Set(found.flat().map(canonical));
}

function canonical(address: string): string {
  const outcome = canonicalValue(address.includes(':') ? 'AAAA' : 'A', address, '');
  return outcome.kind === 'value' ? outcome.value : address;
}

const ADDRESSES: ReadonlySet<string> = new Set(['A', 'AAAA']);

/** The version that a server answers with; undefined: it does not answer with any. */
async function serialAt(
  dns: DnsClient,
  at: { readonly record: ZoneRecord; readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<number | undefined> {
  const { origin } = at.record;
  const { address, port } = at;
  const question = { name: origin, type: DnsType.SOA, server: { address, port } } as const;
  try {
    const reply = await dns.ask({ ...question, transport: 'udp', recursion: 'unwished' }, signal);
    const soa = reply.answer.find(({ name, type }) => name === origin && type === DnsType.SOA);
    // "ns1.example.net hostmaster.example.net 7 3600 …" (RFC 1035 §3.3.13).
    const serial = Number(soa?.text.split(' ')[2]);
    return Number.isInteger(serial) ? serial : undefined;
  } catch {
    return undefined;
  }
}
