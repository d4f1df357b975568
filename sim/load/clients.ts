import type { HttpRequest } from '../../runtime/http.ts';
import { type Cluster, SITE_HOST } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { type DnsReply, decodeReply, encodeQuery } from './dns-client.ts';

/** Where the clients of the world sit: what routing by rotation tells them apart by. */
const CLIENTS = ['198.51.100.7', '198.51.100.77', '203.0.113.20'] as const;
const PAUSE_MS_MAX = 1_500;
/** Paths that every release has, with the file that answers each. */
const PAGES = [
  { path: '/', file: 'index.html' },
  { path: '/about', file: 'about.html' },
  { path: '/assets/style.css', file: 'assets/style.css' },
] as const;

/** Resolvers and browsers: they keep asking the nodes that run, and have each answer checked. */
export function startClients(
  cluster: Cluster,
  ports: { readonly scheduler: Scheduler; readonly random: SeededRandom },
): void {
  const { scheduler } = ports;
  for (const client of CLIENTS) {
    const random = ports.random.fork(client);
    const visit = (): void => {
      browse(cluster, { client, random, nowMs: EPOCH_MS + scheduler.nowMs }).catch(
        (error: unknown) => cluster.invariants.violated(27, `a visit failed: ${String(error)}`),
      );
      scheduler.after(random.integer(1, PAUSE_MS_MAX), visit);
    };
    scheduler.after(random.integer(1, PAUSE_MS_MAX), visit);
  }
}

interface Visit {
  readonly client: string;
  readonly random: SeededRandom;
  readonly nowMs: number;
}

/** Asks any nameserver, then whom it names; and besides any node, named or not. */
async function browse(cluster: Cluster, { client, random, nowMs }: Visit): Promise<void> {
  const { invariants, subs } = cluster;
  const nameserver = random.pick(subs);
  const anyone = random.pick(subs);
  const page = random.pick(PAGES);
  const reply = ask(nameserver, client, nowMs);
  if (reply !== 'down') {
    invariants.dnsAnswer(nameserver.host.name, reply);
    for (const address of reply?.addresses ?? []) {
      const named = subs.find((sub) => sub.address === address);
      if (named === undefined) invariants.violated(28, `${address} is no node's`);
      else await get(cluster, named, { page, namedBy: nameserver });
    }
  }
  await get(cluster, anyone, { page, namedBy: undefined });
}

/** What a nameserver answers; `down`: nothing listens there. */
export function ask(
  sub: Sub,
  client: string,
  nowMs: number,
  host: string = SITE_HOST,
): DnsReply | undefined | 'down' {
  const plane = sub.running?.serving;
  if (plane === undefined) return 'down';
  const query = encodeQuery(host, 4711);
  const reply = plane.resolve(query, { address: client, transport: 'udp' }, nowMs);
  return reply === undefined ? undefined : decodeReply(reply);
}

/** What every client gets from every nameserver, and what every node serves, as one text. */
export async function viewOfAll(cluster: Cluster, nowMs: number): Promise<string> {
  const lines: string[] = [];
  for (const sub of cluster.subs) {
    for (const client of CLIENTS)
      lines.push(`${sub.host.name} ${client} ${JSON.stringify(ask(sub, client, nowMs))}`);
    const answer = await sub.running?.serving?.request(request('/'));
    lines.push(`${sub.host.name} ${answer?.status} ${JSON.stringify(answer?.headers)}`);
  }
  return lines.join('\n');
}

async function get(
  { invariants }: Cluster,
  { host, running }: Sub,
  { page, namedBy }: { page: (typeof PAGES)[number]; namedBy: Sub | undefined },
): Promise<void> {
  const answer = await running?.serving?.request(request(page.path));
  if (answer === undefined) return;
  if (namedBy !== undefined) invariants.namedNode(namedBy.host.name, host.name, answer);
  invariants.response(host.name, page.file, answer);
}

export function request(path: string, host: string = SITE_HOST): HttpRequest {
  return { method: 'GET', path, host, headers: {}, secure: true };
}
