import {
  type DnsAsked,
  type DnsClient,
  DnsError,
  type DnsMessage,
  type DnsRecord,
  type DnsSilence,
  DnsType,
} from '../../runtime/dns-client.ts';

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
  const soa = serial === undefined ? [] : [record(name, DnsType.SOA, `a. h. ${serial}`)];
  const ns = given.ns.map((text) => record(name, DnsType.NS, text));
  return reply({ rcode, source, answer: type === DnsType.SOA ? soa : ns });
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
