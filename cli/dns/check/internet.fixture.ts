import {
  type DnsAsked,
  type DnsClient,
  DnsError,
  type DnsMessage,
  type DnsRecord,
  type DnsSilence,
  DnsType,
} from '../../../runtime/dns/client.ts';
import { hostWire } from '../../../runtime/dns/dnssec.ts';
import { type FixtureKey, signSet } from '../../../runtime/dns/dnssec-sign.fixture.ts';

/** An Internet of a resolver, a parent zone with one nameserver, and those of example.com. */
export interface Internet {
  /** Of the zone "com", as its nameserver says it. */
  delegation: {
    ns: readonly string[];
    glue: Record<string, readonly string[]>;
    ds: readonly string[];
  };
  /** By address. */
  servers: Record<string, FakeServer>;
  /** Of names outside example.com, by way of the resolver. */
  addresses: Record<string, readonly string[]>;
}

export interface FakeServer {
  serial?: number;
  ns: readonly string[];
  rcode?: number;
  source?: 'authority' | 'other';
  silence?: Partial<Record<DnsAsked['transport'], DnsSilence>>;
  /** Left out: it does not sign. */
  signing?: FakeSigning;
}

export interface FakeSigning {
  readonly keys: readonly FixtureKey[];
  readonly signer: FixtureKey;
  readonly nowMs: number;
  /** As `signSet` takes it. */
  readonly given?: Parameters<typeof signSet>[2];
  readonly cds?: readonly string[];
}

export const RESOLVER = '9.9.9.9';
const PARENT = '192.0.2.250';

/** All as it should be: a and b serve version 7, and com has their glue. */
export function soundInternet(): Internet {
  const ns = ['a.ns.example.com', 'b.ns.example.com'];
  return {
    delegation: {
      ns,
      glue: {
        'a.ns.example.com': ['192.0.2.1'],
        'b.ns.example.com': ['192.0.2.2', '2001:db8::2'],
      },
      ds: [],
    },
    servers: {
      '192.0.2.1': { serial: 7, ns },
      '192.0.2.2': { serial: 7, ns },
      '2001:db8::2': { serial: 7, ns },
    },
    addresses: { 'gtld.net': [PARENT] },
  };
}

export function clientOf(internet: Internet): DnsClient {
  return {
    async ask(asked) {
      const { address } = asked.server;
      if (address === RESOLVER) return fromResolver(asked, internet);
      if (address === PARENT) return fromParent(asked, internet);
      return fromServer(asked, internet.servers[address]);
    },
  };
}

function fromResolver({ name, type, recursion }: DnsAsked, internet: Internet): DnsMessage {
  if (recursion !== 'wished') throw new DnsError('broken', 'a resolver asked not to resolve');
  if (type === DnsType.NS && name === 'com')
    return reply({ answer: [record(name, type, 'gtld.net')] });
  const family = type === DnsType.A ? '.' : ':';
  const texts = (internet.addresses[name] ?? []).filter((text) => text.includes(family));
  return reply({ answer: texts.map((text) => record(name, type, text)) });
}

function fromParent({ name, type, recursion }: DnsAsked, { delegation }: Internet): DnsMessage {
  if (recursion !== 'unwished') throw new DnsError('broken', 'a parent asked to resolve');
  if (type === DnsType.DS) {
    return reply({ answer: delegation.ds.map((text) => record(name, DnsType.DS, text)) });
  }
  const glue = Object.entries(delegation.glue).flatMap(([host, texts]) =>
    texts.map((text) => record(host, text.includes(':') ? DnsType.AAAA : DnsType.A, text)),
  );
  const authority = delegation.ns.map((text) => record(name, DnsType.NS, text));
  return reply({ authority, additional: glue, source: 'other' });
}

function fromServer(
  { name, type, server, transport }: DnsAsked,
  given: FakeServer | undefined,
): DnsMessage {
  const silence = given?.silence?.[transport] ?? (transport === 'tls' ? 'refused' : undefined);
  if (given === undefined || silence !== undefined) {
    throw new DnsError(silence ?? 'timeout', `${server.address} is silent`);
  }
  const { rcode = 0, source = 'authority', serial } = given;
  const { signing, ns } = given;
  if (type === DnsType.SOA) {
    const answer = serial === undefined ? [] : soaOf(name, serial, signing);
    return reply({ rcode, source, answer });
  }
  if (type === DnsType.DNSKEY)
    return reply({ rcode, source, answer: signing === undefined ? [] : keysOf(name, signing) });
  const texts = type === DnsType.CDS ? (signing?.cds ?? []) : ns;
  const answer = texts.map((text) => record(name, type === DnsType.CDS ? type : DnsType.NS, text));
  return reply({ rcode, source, answer });
}

function soaOf(name: string, serial: number, signing?: FakeSigning): readonly DnsRecord[] {
  const soa = record(name, DnsType.SOA, `a.ns.example.com h.example.com ${serial} 1 2 3 4`);
  if (signing === undefined) return [soa];
  const fixed = Buffer.alloc(20);
  for (const [index, number] of [serial, 1, 2, 3, 4].entries())
    fixed.writeUInt32BE(number, 4 * index);
  const data = Buffer.concat([hostWire('a.ns.example.com'), hostWire('h.example.com'), fixed]);
  return [soa, signatureOf(name, DnsType.SOA, [data], signing)];
}

function keysOf(name: string, signing: FakeSigning): readonly DnsRecord[] {
  const data = signing.keys.map(({ rdata }) => rdata);
  const keys = data.map((rdata) => record(name, DnsType.DNSKEY, hexOf(rdata)));
  return [...keys, signatureOf(name, DnsType.DNSKEY, data, signing)];
}

function signatureOf(
  name: string,
  type: DnsType,
  records: readonly Uint8Array[],
  { signer: key, nowMs, given }: FakeSigning,
): DnsRecord {
  const set = { origin: hostWire(name), type, records };
  return record(name, DnsType.RRSIG, hexOf(signSet(set, { key, nowMs }, given)));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function record(name: string, type: number, text: string): DnsRecord {
  return { name, type, ttlS: 300, text };
}

function reply(given: Partial<DnsMessage>): DnsMessage {
  return {
    ...{ id: 1, kind: 'response', rcode: 0, source: 'authority', form: 'whole' },
    ...{ question: undefined, answer: [], authority: [], additional: [] },
    ...given,
  };
}
