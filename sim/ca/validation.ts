import { alpnProofs } from '../../agent/edge/proofs.ts';
import { CHALLENGE_PREFIX } from '../../agent/edge/respond.ts';
import type { AcmeProof, ValidateProof } from '../../runtime/acme/fake/proof.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { ask } from '../load/clients.ts';
import { type DnsReply, TYPE_A, TYPE_TXT } from '../load/dns-client.ts';

export interface ValidationPorts {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
}

/** Where the CA's own resolvers stand. */
const CLIENT = '198.51.100.7';
/** From so many places it looks, and all have to see the proof, as the big CAs do it. */
const PERSPECTIVES = 2;
/** NOERROR and NXDOMAIN; after any other answer a resolver asks the next nameserver. */
const ANSWERS: ReadonlySet<number> = new Set([0, 3]);

/** A CA that really asks: our nameservers, in any order, and the edges that these name. */
export function simulatedValidation({
  cluster,
  scheduler,
  random,
}: ValidationPorts): ValidateProof {
  return async (proof) => {
    for (let place = 1; place <= PERSPECTIVES; place += 1) {
      const world: World = { cluster, random, nowMs: EPOCH_MS + scheduler.nowMs };
      const problem = await LOOKS[proof.type](world, proof);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

interface World {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly nowMs: number;
}

type Look = (world: World, proof: AcmeProof) => Promise<string | undefined>;

const LOOKS: Readonly<Record<AcmeProof['type'], Look>> = {
  /** RFC 8555 §8.4. */
  async 'dns-01'(world, { name, txt }) {
    const found = resolve(world, `_acme-challenge.${name}`, TYPE_TXT);
    if (typeof found === 'string') return found;
    const { reply, nameserver } = found;
    const values = reply.answer.filter(({ type }) => type === TYPE_TXT).map(({ text }) => text);
    return values.includes(txt) ? undefined : `${nameserver} does not have the TXT record`;
  },
  /** RFC 8555 §8.3: over plain HTTP. */
  async 'http-01'(world, { name, token, keyAuthorization }) {
    const edge = edgeOf(world, name);
    if (typeof edge === 'string') return edge;
    const path = `${CHALLENGE_PREFIX}${token}`;
    const request = { method: 'GET', path, host: name, headers: {}, secure: false };
    const answer = await edge.running?.serving?.request(request);
    if (answer?.status !== 200) return `${edge.host.name} answers ${answer?.status}`;
    return answer.body === keyAuthorization ? undefined : `${edge.host.name} answers otherwise`;
  },
  /** RFC 8737 §3: what the edge's TLS would show. */
  async 'tls-alpn-01'(world, { name, digest }) {
    const edge = edgeOf(world, name);
    if (typeof edge === 'string') return edge;
    const { inEffect } = edge.running ?? {};
    const shown = inEffect && alpnProofs(inEffect.snapshot.edge).get(name)?.digest;
    const isThere = shown !== undefined && Buffer.from(shown).toString('hex') === digest;
    return isThere ? undefined : `${edge.host.name} does not show the proof`;
  },
};

/** The answer of the first nameserver that has one; or why there is none. */
function resolve(
  { cluster, random, nowMs }: World,
  name: string,
  type: number,
): { readonly reply: DnsReply; readonly nameserver: string } | string {
  // Those that are nodes: so it stands in the zone above ours.
  const delegated = cluster.subs.filter(({ host }) => cluster.wish.nodes.has(host.name));
  for (const nameserver of shuffled(delegated, random)) {
    const reply = ask(cluster, { nameserver, client: CLIENT, nowMs, name, type });
    if (reply === undefined || reply === 'down' || !ANSWERS.has(reply.rcode)) continue;
    return { reply, nameserver: nameserver.host.name };
  }
  return `no nameserver answers for ${name}`;
}

function edgeOf(world: World, name: string): Sub | string {
  const found = resolve(world, name, TYPE_A);
  if (typeof found === 'string') return found;
  const [address] = found.reply.addresses;
  const { subs, network } = world.cluster;
  const edge = subs.find((sub) => sub.address === address);
  if (edge === undefined) return `${name} has no address at ${found.nameserver}`;
  return network.reachesClients(edge.host.name) ? edge : `${address} cannot be reached`;
}

function shuffled<T>(items: readonly T[], random: SeededRandom): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
