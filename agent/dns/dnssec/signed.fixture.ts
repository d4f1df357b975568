import { createHash } from 'node:crypto';
import type { ZoneKey, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import {
  type DsData,
  dnskeyRdata,
  dsOf,
  generateZoneKey,
  hostWire,
  keyTagOf,
} from '../../../runtime/dns/dnssec.ts';
import { answerQuery, type DnsClient } from '../answer.ts';
import { opt, queryBytes, records, snapshotOf, UDP_CLIENT } from '../dns.fixture.ts';
import { EXAMPLE, snapshot } from '../example.fixture.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { ecdsaSign } from './ecdsa.ts';
import { Signatures } from './signatures.ts';
import { readReply, type WireReply } from './verifier.fixture.ts';

export const DO = 0x8000;
export const CO = 0x4000;
export const NOW_MS = Date.UTC(2026, 10, 21);

/** A key of a zone; the same seed makes the same key. */
export function zoneKey(seed: string, given: Partial<ZoneKey> = {}): ZoneKey {
  const bytes = (count: number): Uint8Array =>
    createHash('sha256').update(seed).digest().subarray(0, count);
  const { publicKey, privatePem } = generateZoneKey({ next: () => 0, bytes });
  const keyTag = keyTagOf(dnskeyRdata(publicKey));
  return {
    keyTag,
    publicKey: Buffer.from(publicKey),
    privatePem,
    role: 'active',
    ds: 'wanted',
    ...given,
  };
}

/** What the parent of the zone is to hold of a key. */
export function dsOfKey({ origin }: Pick<ZonePlan, 'origin'>, { publicKey }: ZoneKey): DsData {
  return dsOf(hostWire(origin), publicKey);
}

export interface Asked {
  readonly client?: DnsClient;
  readonly nowMs?: number;
  /** DO alone, if left out. */
  readonly flags?: number;
  readonly udpSizeBytes?: number;
  readonly signatures?: Signatures;
  readonly extra?: object[];
}

/** Asks as a validating resolver does. */
export function askSigned(
  of: DnsSnapshot,
  name: string,
  type: string,
  asked: Asked = {},
): WireReply {
  const { client = UDP_CLIENT, nowMs = NOW_MS, flags = DO, udpSizeBytes = 1232 } = asked;
  const signatures = asked.signatures ?? new Signatures(ecdsaSign);
  const edns = opt(asked.extra ?? [], { flags, udpPayloadSize: udpSizeBytes });
  const query = queryBytes(name, type, edns);
  const reply = answerQuery(query, { snapshot: of, client, nowMs, signatures });
  if (reply === undefined) throw new Error('no reply');
  return readReply(reply);
}

const DIGEST = '3A'.repeat(32);
export const KEY: ZoneKey = zoneKey('example.com');

/** The zone with something of everything, signed. */
export const SIGNED: ZonePlan = {
  ...EXAMPLE,
  keys: [KEY],
  records: [
    ...EXAMPLE.records,
    records('a.ent.example.com', 'TXT', '"below an empty name"'),
    records('*.wild.example.com', 'A', '192.0.2.77'),
    records('*.wild.example.com', 'TXT', '"wild"'),
    records('secure.example.com', 'NS', 'ns.secure.example.com'),
    records('secure.example.com', 'DS', `4711 13 2 ${DIGEST}`),
    records('ns.secure.example.com', 'A', '192.0.2.98'),
    records('self.example.com', 'NS', 'self.example.com'),
    records('self.example.com', 'A', '192.0.2.97'),
  ],
};
/** From somewhere in Japan and somewhere in Germany; see `example.fixture.ts`. */
export const JAPAN: DnsClient = { address: '1.2.3.4', transport: 'udp' };
export const GERMANY: DnsClient = { address: '2.0.1.2', transport: 'udp' };

export function signedSnapshot(zone: ZonePlan = SIGNED): DnsSnapshot {
  const { zones } = snapshotOf({ zones: [zone] });
  return { ...snapshot, zones };
}
