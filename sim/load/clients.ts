import type { HttpRequest } from '../../runtime/http.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { type DnsReply, decodeReply, encodeQuery, TYPE_A } from './dns-client.ts';
import { PAGES } from './pages.ts';
import { hostOf, ORIGIN } from './wish.ts';

/**
 * Where the clients of the world sit: in networks of MaxMind's test database, which knows where
 * they are, and two that it does not know.
 */
export const CLIENTS = [
  '81.2.69.142',
  '89.160.20.112',
  '175.16.199.1',
  '216.160.83.56',
  '198.51.100.7',
  '202.196.224.1',
  '214.78.0.1',
  '67.43.156.1',
  '203.0.113.20',
] as const;
const PAUSE_MS_MAX = 1_500;
const SITES = ['blog', 'docs', 'shop', 'wiki'] as const;

export interface ClientsPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly count: number;
}

/** Resolvers and browsers: they keep asking the nodes that run, and have each answer checked. */
export function startClients(cluster: Cluster, { scheduler, random, count }: ClientsPorts): void {
  for (const client of CLIENTS.slice(0, count)) {
    const own = random.fork(client);
    const visit = (): void => {
      browse(cluster, { client, random: own, nowMs: EPOCH_MS + scheduler.nowMs }).catch(
        (error: unknown) => cluster.checks.violated(27, `a visit failed: ${String(error)}`),
      );
      scheduler.after(own.integer(1, PAUSE_MS_MAX), visit);
    };
    scheduler.after(own.integer(1, PAUSE_MS_MAX), visit);
  }
}

interface Visit {
  readonly client: string;
  readonly random: SeededRandom;
  readonly nowMs: number;
}

/** Asks any nameserver, then whom it names; and besides any node, named or not. */
async function browse(cluster: Cluster, { client, random, nowMs }: Visit): Promise<void> {
  const nameserver = random.pick(cluster.subs);
  const anyone = random.pick(cluster.subs);
  const { path } = random.pick(PAGES);
  const host = hostOf(random.pick(SITES));
  const reply = ask(cluster, { nameserver, client, nowMs, name: host });
  for (const address of reply === 'down' ? [] : (reply?.addresses ?? [])) {
    const named = cluster.subs.find((sub) => sub.address === address);
    if (named === undefined) cluster.checks.violated(28, `${address} is no node's`);
    else await get(cluster, named, { host, path, namedBy: nameserver.host.name });
  }
  await get(cluster, anyone, { host, path, namedBy: undefined });
  if (random.chance(0.2)) ask(cluster, { nameserver, client, nowMs, name: ORIGIN, type: 6 });
}

export interface Question {
  readonly nameserver: Sub;
  readonly client: string;
  readonly nowMs: number;
  readonly name: string;
  /** Left out: A. */
  readonly type?: number;
}

/** What a nameserver answers; `down`: nothing listens there. */
export function ask(
  { checks }: Cluster,
  { nameserver, client, nowMs, name, type = TYPE_A }: Question,
): DnsReply | undefined | 'down' {
  const plane = nameserver.running?.serving;
  if (plane === undefined || !nameserver.machine.roles.includes('nameserver')) return 'down';
  const query = encodeQuery({ name, type, id: 4711 });
  const reply = plane.resolve(query, { address: client, transport: 'udp' }, nowMs);
  checks.asked({ nameserver: nameserver.host.name, name, type, client, query, reply });
  return reply === undefined ? undefined : decodeReply(reply);
}

/** What every client gets from every nameserver, and what every node serves, as one text. */
export async function viewOfAll(cluster: Cluster, nowMs: number): Promise<string> {
  const lines: string[] = [];
  for (const nameserver of cluster.subs)
    for (const name of SITES.map(hostOf)) {
      for (const client of CLIENTS) {
        const reply = ask(cluster, { nameserver, client, nowMs, name });
        lines.push(`${nameserver.host.name} ${name} ${client} ${JSON.stringify(reply)}`);
      }
      const answer = await nameserver.running?.serving?.request(request('/', name));
      const headers = JSON.stringify(answer?.headers);
      lines.push(`${nameserver.host.name} ${name} ${answer?.status} ${headers}`);
    }
  return lines.join('\n');
}

async function get(
  { checks }: Cluster,
  { host: { name: node }, running, machine }: Sub,
  { host, path, namedBy }: { host: string; path: string; namedBy: string | undefined },
): Promise<void> {
  if (!machine.roles.includes('edge')) return;
  const answer = await running?.serving?.request(request(path, host));
  if (answer !== undefined) checks.requested({ node, host, path, answer, namedBy });
}

export function request(path: string, host: string): HttpRequest {
  return { method: 'GET', path, host, headers: {}, secure: true };
}
