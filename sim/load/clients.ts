import { previewHost } from '../../api/previews.ts';
import { CONTENT_CODINGS } from '../../runtime/content/content-coding.ts';
import { expandFake } from '../../runtime/content/fake-compressor.ts';
import type { HttpAnswer, HttpRequest } from '../../runtime/http.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';
import type { Sub } from '../hosts/sub-host.ts';
import {
  type DnsReply,
  readReply,
  TYPE_A,
  TYPE_AAAA,
  TYPE_DNSKEY,
  TYPE_NS,
  TYPE_SOA,
  TYPE_TXT,
} from './dns-client.ts';
import { drawQuery, encodeQuery, spoil } from './dns-query.ts';
import { basicOf, type Credentials, drawCredentials } from './members.ts';
import { MEMBERS_PAGE, MOVED_PATH, PAGES } from './pages.ts';
import { CLIENTS, SUBNETS } from './places.ts';
import { hostOf, ORIGIN, SIDE_ORIGIN } from './wish.ts';

const PAUSE_MS_MAX = 4_000;
export const SITES = ['blog', 'docs', 'shop', 'wiki'] as const;

/** Of the releases of a site, as many of the newest are asked for. */
const PREVIEWS_KNOWN = 5;
/** A resolver gets another cookie of its own so often: in one of so many visits. */
const COOKIE_VISITS = 20;

export interface ClientsPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly count: number;
}

/** Resolvers and browsers: they keep asking the nodes that run, and have each answer checked. */
export function startClients(cluster: Cluster, { scheduler, random, count }: ClientsPorts): void {
  for (const client of CLIENTS.slice(0, count)) {
    const own = random.fork(client);
    const jar = jarOf(own.fork('cookies'));
    const codings = own.fork('codings');
    const previews = own.fork('previews');
    const knocks = own.fork('knocks');
    const visit = (): void => {
      const nowMs = EPOCH_MS + scheduler.nowMs;
      browse(cluster, { client, jar, random: own, codings, nowMs }).catch((error: unknown) =>
        cluster.checks.violated(27, `a visit failed: ${String(error)}`),
      );
      lookAhead(cluster, previews).catch((error: unknown) =>
        cluster.checks.violated(27, `a visit to a preview failed: ${String(error)}`),
      );
      if (cluster.sites === 'elaborate')
        knock(cluster, client, knocks).catch((error: unknown) =>
          cluster.checks.violated(27, `a visit to what members see failed: ${String(error)}`),
        );
      scheduler.after(own.integer(1, PAUSE_MS_MAX), visit);
    };
    scheduler.after(own.integer(1, PAUSE_MS_MAX), visit);
  }
}

/** What a resolver remembers of cookies (RFC 7873 §5.1); undefined: it does not know them. */
interface Jar {
  cookie: Uint8Array | undefined;
  readonly random: SeededRandom | undefined;
}

function jarOf(random: SeededRandom): Jar {
  const knows = random.chance(0.5);
  return { cookie: undefined, random: knows ? random : undefined };
}

interface Visit {
  readonly client: string;
  readonly jar: Jar;
  readonly random: SeededRandom;
  /** What a browser can decode is drawn from it. */
  readonly codings: SeededRandom;
  readonly nowMs: number;
}

/** Someone asks a nameserver for a host and goes where it says, and asks any one node besides. */
async function browse(cluster: Cluster, visit: Visit): Promise<void> {
  const { client, jar, random, codings, nowMs } = visit;
  if (jar.random?.chance(1 / COOKIE_VISITS) || jar.cookie === undefined)
    jar.cookie = jar.random?.bytes(8);
  const nameserver = random.pick(cluster.subs);
  const anyone = random.pick(cluster.subs);
  const { path } = random.pick(PAGES);
  const host = hostOf(random.pick(SITES));
  const accepted = codings.pick(['identity', ...CONTENT_CODINGS, CONTENT_CODINGS.join(', ')]);
  const page = { host, path, accepted };
  const from = { nameserver, client, nowMs, jar };
  const reply = resolve(cluster, { ...from, name: host, type: TYPE_A }, random);
  for (const address of reply?.addresses ?? []) {
    const named = cluster.subs.find((sub) => sub.address === address);
    if (named === undefined) cluster.checks.violated(28, `${address} is no node's`);
    else await browsePage(cluster, named, { ...page, namedBy: nameserver.host.name });
  }
  await browsePage(cluster, anyone, { ...page, namedBy: undefined });
  if (random.chance(0.5)) resolve(cluster, { ...from, ...otherQuestion(host, random) }, random);
  if (random.chance(0.3)) annoy(cluster, { ...from, name: host, type: TYPE_A }, random);
}

/** Somebody looks at a release before, or after, it is everybody's: any one of any site. */
async function lookAhead(cluster: Cluster, random: SeededRandom): Promise<void> {
  const { checks, network } = cluster;
  const sub = random.pick(cluster.subs);
  const site = random.pick(SITES);
  const { path } = random.pick(PAGES);
  const previews = cluster.wish.sites.get(site)?.previews;
  const releases = cluster.releasesOf(site).slice(-PREVIEWS_KNOWN);
  if (previews === undefined || releases.length === 0) return;
  const host = previewHost(site, random.pick(releases).digest, previews);
  const { name: node } = sub.host;
  if (!sub.machine.roles.includes('edge') || !network.reachesClients(node)) return;
  const answer = await sub.running?.serving?.request(request(path, host));
  if (answer !== undefined) checks.previewed({ node, host, path, answer, namedBy: undefined });
}

/** Somebody asks, with some password or none, for what may be for members, or what has moved. */
async function knock(cluster: Cluster, client: string, random: SeededRandom): Promise<void> {
  const sub = random.pick(cluster.subs);
  const host = hostOf(random.pick(SITES));
  const path = random.pick([MEMBERS_PAGE.path, MEMBERS_PAGE.path, MOVED_PATH]);
  const credentials = drawCredentials(cluster.wish.membersVersion, random);
  await askAsMember(cluster, sub, { host, path, client, credentials });
}

/** What one node answers to somebody with these credentials; undefined: it cannot be reached. */
export async function askAsMember(
  { checks, network }: Cluster,
  { host: { name: node }, running, machine }: Sub,
  asked: {
    readonly host: string;
    readonly path: string;
    readonly client: string;
    readonly credentials: Credentials | undefined;
  },
): Promise<HttpAnswer | undefined> {
  const { host, path, client: address, credentials } = asked;
  if (!machine.roles.includes('edge') || !network.reachesClients(node)) return undefined;
  const authorization = credentials && basicOf(credentials);
  const headers = { authorization };
  const answer = await running?.serving?.request({ ...request(path, host), headers, address });
  if (answer !== undefined)
    checks.knocked({ node, host, path, answer, namedBy: undefined, credentials });
  return answer;
}

/** What else there is to ask: much, little, and nothing. */
function otherQuestion(host: string, random: SeededRandom): { name: string; type: number } {
  return random.pick([
    { name: ORIGIN, type: TYPE_SOA },
    { name: ORIGIN, type: TYPE_TXT },
    { name: ORIGIN, type: TYPE_NS },
    { name: ORIGIN, type: TYPE_A },
    { name: ORIGIN, type: TYPE_A },
    { name: ORIGIN, type: TYPE_AAAA },
    { name: ORIGIN, type: TYPE_DNSKEY },
    { name: SIDE_ORIGIN, type: TYPE_A },
    { name: `big.${ORIGIN}`, type: TYPE_TXT },
    { name: `nowhere.${ORIGIN}`, type: TYPE_TXT },
    { name: host, type: TYPE_AAAA },
    { name: SIDE_ORIGIN, type: TYPE_TXT },
    { name: SIDE_ORIGIN, type: TYPE_SOA },
    { name: 'elsewhere.test', type: TYPE_TXT },
  ]);
}

interface Asking {
  readonly nameserver: Sub;
  readonly client: string;
  readonly nowMs: number;
}

export interface Question extends Asking {
  readonly name: string;
  /** Left out: A. */
  readonly type?: number;
}

/** A question as some resolver puts it; one whose answer was cut asks again over TCP. */
function resolve(
  cluster: Cluster,
  question: Required<Question> & { readonly jar: Jar },
  random: SeededRandom,
): DnsReply | undefined {
  const drawn = drawQuery({ ...question, subnets: SUBNETS, cookie: question.jar.cookie }, random);
  const query = encodeQuery(drawn);
  const reply = put(cluster, { ...question, query, transport: 'udp' });
  if (reply !== undefined && drawn.cookie !== undefined)
    question.jar.cookie = readReply(reply).cookie ?? drawn.cookie;
  // Some use TCP for no reason; then they get the same.
  const form = reply === undefined ? 'whole' : readReply(reply).form;
  if (reply === undefined || (form === 'whole' && random.chance(0.9))) return read(reply);
  return read(put(cluster, { ...question, query, transport: 'tcp' }));
}

/** INV-25. The name is left out: nothing is known of what is asked, if anything is. */
function annoy(cluster: Cluster, question: Required<Question>, random: SeededRandom): void {
  const query = encodeQuery(drawQuery({ ...question, subnets: SUBNETS }, random));
  const transport = random.pick(['udp', 'tcp'] as const);
  put(cluster, { ...question, name: '', type: 0, query: spoil(query, random), transport });
}

/** What a nameserver answers to a plain question; `down`: nothing listens there. */
export function ask(
  cluster: Cluster,
  { type = TYPE_A, ...question }: Question,
): DnsReply | undefined | 'down' {
  if (!listens(cluster, question.nameserver)) return 'down';
  const query = encodeQuery({ name: question.name, type, id: 4711 });
  return read(put(cluster, { ...question, type, query, transport: 'udp' }));
}

/** Sends these bytes; undefined: nothing came back. */
function put(
  cluster: Cluster,
  sent: Required<Question> & { readonly query: Uint8Array; readonly transport: 'udp' | 'tcp' },
): Uint8Array | undefined {
  const { nameserver, client, name, type, query, transport } = sent;
  if (!listens(cluster, nameserver)) return undefined;
  const exchange = { nameserver: nameserver.host.name, name, type, client, query, transport };
  const reply = tryToResolve(cluster, sent);
  cluster.checks.asked({ ...exchange, reply });
  return reply;
}

function tryToResolve(
  { checks }: Cluster,
  { nameserver: { host, running }, client, nowMs, query, transport }: Parameters<typeof put>[1],
): Uint8Array | undefined {
  try {
    return running?.serving?.resolve(query, { address: client, transport }, nowMs);
  } catch (error) {
    checks.violated(25, `${host.name} throws for ${hex(query)}: ${String(error)}`);
    return undefined;
  }
}

function listens({ network }: Cluster, { host, running, machine }: Sub): boolean {
  if (running?.serving === undefined || !machine.roles.includes('nameserver')) return false;
  return network.reachesClients(host.name);
}

function read(reply: Uint8Array | undefined): DnsReply | undefined {
  return reply === undefined ? undefined : readReply(reply);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export interface PageWanted {
  readonly host: string;
  readonly path: string;
  /** The nameserver that named the node; undefined: nobody did. */
  readonly namedBy: string | undefined;
  /** `Accept-Encoding`; left out: it is not sent. */
  readonly accepted?: string | undefined;
}

/** Somebody asks this node for a page, and decodes it. */
export async function browsePage(
  { checks, network }: Cluster,
  { host: { name: node }, running, machine }: Sub,
  { host, path, namedBy, accepted }: PageWanted,
): Promise<void> {
  if (!machine.roles.includes('edge') || !network.reachesClients(node)) return;
  const asked = { ...request(path, host), headers: { 'accept-encoding': accepted } };
  const answer = await running?.serving?.request(asked);
  if (answer === undefined) return;
  const coding = answer.headers.find(([name]) => name === 'content-encoding')?.[1];
  if (coding !== undefined) checks.reached.add('compressed answer');
  checks.requested({ node, host, path, answer: decoded(answer, coding), namedBy });
}

/** As a browser does it. Throws a RangeError for bytes that are not in that coding. */
function decoded(answer: HttpAnswer, coding: string | undefined): HttpAnswer {
  const known = CONTENT_CODINGS.find((each) => each === coding);
  if (coding === undefined || !(answer.body instanceof Uint8Array)) return answer;
  if (known === undefined) throw new RangeError(`nobody asked for the coding ${coding}`);
  return { ...answer, body: expandFake(known, answer.body) };
}

export function request(path: string, host: string): HttpRequest {
  return { method: 'GET', path, host, headers: {}, secure: true };
}
