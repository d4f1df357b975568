import {
  DnsError,
  type DnsMessage,
  type DnsRecord,
  type DnsServer,
  type DnsTransport,
  DnsType,
} from '../../../runtime/dns/client.ts';
import { askWhole, type GatherOptions, ignoreDnsError, textsOf } from './ask.ts';
import type {
  ExpectedZone,
  ParentFacts,
  ParentServer,
  Seen,
  ServerFacts,
  ZoneFacts,
} from './facts.ts';
import { gatherDnssec } from './gather-dnssec.ts';

/** Nameservers of a parent that are asked, and of a zone; the rest says the same. */
const SERVERS_MAX = 32;

/** Asks the parent's nameservers and every nameserver of the zone. Throws only when aborted. */
export async function gatherFacts(
  expected: ExpectedZone,
  options: GatherOptions,
): Promise<ZoneFacts> {
  const parent = await gatherParent(expected.origin, options);
  const delegated = parent.kind === 'unknown' ? [] : delegatedServers(parent.servers);
  const names = new Set([...expected.nameservers.map(({ name }) => name), ...delegated]);
  const places = [...names].toSorted().map(async (name) => {
    const known = expected.nameservers.find((one) => one.name === name);
    const told = parent.kind === 'unknown' ? [] : glueOf(parent.servers, name);
    const addresses = new Set([...(known?.addresses ?? []), ...told]);
    const found =
      addresses.size > 0 ? [...addresses].toSorted() : await resolveAddresses(name, options);
    return found.map((address) => ({ name, server: { address, port: options.port } }));
  });
  const servers = (await Promise.all(places)).flat().slice(0, SERVERS_MAX);
  return {
    parent,
    servers: await Promise.all(
      servers.map((place) => gatherServer(expected.origin, place, options)),
    ),
  };
}

async function gatherParent(origin: string, options: GatherOptions): Promise<ParentFacts> {
  try {
    const { zone, nameservers } = await findParent(origin, options);
    const places = await Promise.all(
      nameservers.map(async (name) => {
        const addresses = await resolveAddresses(name, options);
        const server = (address: string): DnsServer => ({ address, port: options.port });
        return addresses.map((address) => ({ name, server: server(address) }));
      }),
    );
    const asked = places.flat().slice(0, SERVERS_MAX);
    if (asked.length === 0)
      return { kind: 'unknown', why: `no address of a nameserver of ${zone} was found` };
    const servers = asked.map((place) => askParent(origin, place, options));
    return { kind: 'known', zone, servers: await Promise.all(servers) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof DnsError) return { kind: 'unknown', why: error.message };
    throw error;
  }
}

/** The closest zone above: the resolver is asked for NS, label by label. */
async function findParent(
  origin: string,
  options: GatherOptions,
): Promise<{ readonly zone: string; readonly nameservers: readonly string[] }> {
  for (let zone = parentName(origin); ; zone = parentName(zone)) {
    const { rcode, answer } = await askResolver(zone, DnsType.NS, options);
    if (rcode !== 0 && rcode !== NXDOMAIN) {
      throw new DnsError(
        'broken',
        `the resolver cannot tell the nameservers of ${zone}: rcode ${rcode}`,
      );
    }
    const nameservers = textsOf(answer, { name: zone, type: DnsType.NS });
    if (nameservers.length > 0) return { zone, nameservers };
    if (zone === '.') throw new DnsError('broken', 'the resolver knows no nameserver of the root');
  }
}

const NXDOMAIN = 3;

async function askParent(
  origin: string,
  { name, server }: { readonly name: string; readonly server: DnsServer },
  options: GatherOptions,
): Promise<ParentServer> {
  const asked = { name: origin, server, recursion: 'unwished' } as const;
  try {
    const reply = await askWhole({ ...asked, type: DnsType.NS }, options);
    const records = [...reply.answer, ...reply.authority];
    const nameservers = textsOf(records, { name: origin, type: DnsType.NS });
    const ds = await askWhole({ ...asked, type: DnsType.DS }, options).catch(ignoreDnsError);
    return {
      ...{ name, server },
      seen: {
        ...{ kind: 'answered', rcode: reply.rcode, nameservers },
        glue: new Map(nameservers.map((each) => [each, addressesOf(reply.additional, each)])),
        ds: ds && textsOf(ds.answer, { name: origin, type: DnsType.DS }),
      },
    };
  } catch (error) {
    return { name, server, seen: silent(error, options.signal) };
  }
}

async function gatherServer(
  origin: string,
  { name, server }: { readonly name: string; readonly server: DnsServer },
  options: GatherOptions,
): Promise<ServerFacts> {
  const [udp, tcp, tls] = await Promise.all(
    (['udp', 'tcp', 'tls'] as const).map((transport) =>
      seeServer(origin, { server, transport }, options),
    ),
  );
  const none: Seen = { kind: 'silent', silence: 'broken', why: 'not asked' };
  const question = { name: origin, type: DnsType.NS, server, recursion: 'unwished' } as const;
  const [reply, dnssec] = await Promise.all([
    askWhole(question, options).catch(ignoreDnsError),
    gatherDnssec(origin, server, options),
  ]);
  return {
    ...{ name, server },
    byTransport: { udp: udp ?? none, tcp: tcp ?? none, tls: tls ?? none },
    nameservers: reply && textsOf(reply.answer, { name: origin, type: DnsType.NS }),
    dnssec,
  };
}

async function seeServer(
  origin: string,
  { server, transport }: { readonly server: DnsServer; readonly transport: DnsTransport },
  { client, tlsPort, signal }: GatherOptions,
): Promise<Seen> {
  const at = transport === 'tls' ? { ...server, port: tlsPort } : server;
  const asked = { name: origin, type: DnsType.SOA, recursion: 'unwished' } as const;
  try {
    const reply = await client.ask({ ...asked, server: at, transport }, signal);
    const [soa] = textsOf(reply.answer, { name: origin, type: DnsType.SOA });
    const serial = soa === undefined ? undefined : Number(soa.split(' ')[2]);
    return { kind: 'answered', rcode: reply.rcode, source: reply.source, serial };
  } catch (error) {
    return silent(error, signal);
  }
}

/** A and AAAA by way of the resolver; those that cannot be told are left out. */
async function resolveAddresses(name: string, options: GatherOptions): Promise<readonly string[]> {
  const replies = await Promise.all(
    ([DnsType.A, DnsType.AAAA] as const).map((type) =>
      askResolver(name, type, options).catch(ignoreDnsError),
    ),
  );
  const records = replies.flatMap((reply) => reply?.answer ?? []);
  return records
    .filter(isAddress)
    .map(({ text }) => text)
    .toSorted();
}

function askResolver(name: string, type: DnsType, options: GatherOptions): Promise<DnsMessage> {
  return askWhole({ name, type, server: options.resolver, recursion: 'wished' }, options);
}

function delegatedServers(servers: readonly ParentServer[]): readonly string[] {
  return servers.flatMap(({ seen }) => (seen.kind === 'answered' ? seen.nameservers : []));
}

function glueOf(servers: readonly ParentServer[], name: string): readonly string[] {
  return servers.flatMap(({ seen }) =>
    seen.kind === 'answered' ? (seen.glue.get(name) ?? []) : [],
  );
}

function addressesOf(records: readonly DnsRecord[], name: string): readonly string[] {
  const found = records.filter((record) => record.name === name && isAddress(record));
  return found.map(({ text }) => text).toSorted();
}

function isAddress({ type }: DnsRecord): boolean {
  return type === DnsType.A || type === DnsType.AAAA;
}

function parentName(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 || name === '.' ? '.' : name.slice(dot + 1);
}

function silent(error: unknown, signal: AbortSignal): Extract<Seen, { kind: 'silent' }> {
  signal.throwIfAborted();
  if (!(error instanceof DnsError)) throw error;
  return { kind: 'silent', silence: error.silence, why: error.message };
}
