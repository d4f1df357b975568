import type { ChallengeType } from '../../runtime/acme/acme.ts';
import type { PublicDns, PublicType } from '../../runtime/dns/public-dns.ts';
import { type ZonesByOrigin, zoneOfHost, zonesByOrigin } from '../../runtime/dns/zones.ts';
import { hasRole, nodeViews } from '../../runtime/session/node-view.ts';
import { takeSlots } from '../../runtime/slots.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import { caaObstacle } from './caa.ts';
import { noWayMessage, placeOfRecord, publicAlias, type RecordPlace, waysOf } from './challenge.ts';
import { withoutWildcard } from './limits.ts';
import { serverOf } from './ports.ts';
import type { StartScene } from './start.ts';
import { cut } from './trouble.ts';

/** Names that are looked at together. */
const SLOTS = 8;
/** What is told at once of what is wrong. */
const TOLD_MAX = 3;

export type SelfCheck =
  /** What is wrong, with the mend. */
  | { readonly kind: 'wrong'; readonly message: string }
  /** `ways`: where the best way to prove a name is blocked, the one that is open. */
  | { readonly kind: 'fine'; readonly ways: Readonly<Record<string, ChallengeType>> };

/**
 * Looks at what the CA will look at, before it is asked: for each name, whether there is a way to
 * prove it that nothing blocks, as far as can be seen from here. Whatever cannot be found out holds
 * nothing up. Throws when the CA cannot tell who it is.
 */
export async function selfCheck(scene: StartScene): Promise<SelfCheck> {
  const { ports, certificate, issuer, signal } = scene;
  const zones = zonesByOrigin(ports.world.list('Zone'));
  const { challenge: chosen } = issuer.spec.acme;
  const inSlot = takeSlots(SLOTS);
  const dns = ports.publicDns === undefined ? undefined : remembering(ports.publicDns);
  const isFull = issuer.spec.acme.selfCheck === 'full' && dns !== undefined;
  const identities = isFull
    ? (await ports.acme.directory(serverOf(issuer), signal)).caaIdentities
    : [];
  const looked = await Promise.all(
    certificate.spec.names.map((name) =>
      inSlot(async () => {
        const place = await placeOfRecord(withoutWildcard(name), zones, publicAlias(dns, signal));
        const ways = waysOf({ wildcard: name.startsWith('*.') }, chosen, place);
        if (ways.length === 0) return { name, problem: noWayMessage(name, chosen) };
        if (!isFull) return { name };
        return {
          name,
          ...(await openWay({ ...scene, dns, zones, place, name, identities }, ways)),
        };
      }),
    ),
  );
  const told = looked.flatMap(({ problem }) => problem ?? []);
  if (told.length > 0) {
    const more = told.length > TOLD_MAX ? `; and ${told.length - TOLD_MAX} more` : '';
    return { kind: 'wrong', message: cut(`${told.slice(0, TOLD_MAX).join('; ')}${more}`) };
  }
  const ways = looked.flatMap(({ name, way }) => (way === undefined ? [] : [[name, way] as const]));
  return { kind: 'fine', ways: Object.fromEntries(ways) };
}

interface NameFacts extends StartScene {
  readonly dns: PublicDns;
  readonly zones: ZonesByOrigin;
  readonly place: RecordPlace | undefined;
  readonly name: string;
  readonly identities: readonly string[];
}

interface Looked {
  /** The one to be gone where the best is blocked; undefined: the best. */
  readonly way?: ChallengeType;
  /** Why the best is blocked, when all are. */
  readonly problem?: string;
}

/** The first way that nothing blocks. */
async function openWay(facts: NameFacts, ways: readonly ChallengeType[]): Promise<Looked> {
  let first: string | undefined;
  for (const way of ways) {
    const reach = way === 'dns-01' ? recordProblem : edgeProblem;
    const problem = (await reach(facts)) ?? (await caaProblem(facts, way));
    if (problem === undefined) return way === ways[0] ? {} : { way };
    first ??= problem;
  }
  return first === undefined ? {} : { problem: first };
}

/** Whether the world asks our nameservers for the zone that holds the proof. */
async function recordProblem(facts: NameFacts): Promise<string | undefined> {
  return facts.place === undefined ? undefined : await delegationProblem(facts, facts.place.zone);
}

/** Whether a Zone `namespace/name` is delegated to us. */
async function delegationProblem(facts: NameFacts, at: string): Promise<string | undefined> {
  const { ports, name } = facts;
  const zone = ports.world.get('Zone', splitName(at));
  const ours = ports.world.record('zone', at)?.value;
  if (zone === undefined || ours === undefined) return undefined;
  const { origin } = zone.spec;
  const own = new Set(
    ours.records
      .filter((set) => set.name === origin && set.type === 'NS')
      .flatMap(({ values }) => values.map((value) => value.toLowerCase().replace(/\.$/, ''))),
  );
  const found = await asked(facts, origin, 'NS');
  if (found === undefined || found.some((server) => own.has(server))) return undefined;
  const where = found.length === 0 ? 'nowhere' : `to ${found.toSorted().join(', ')}`;
  const mend = `have its parent zone name ${[...own].toSorted().join(', ')}`;
  return `${name}: ${origin} is delegated ${where}, not to us: ${mend}, or set spec.acme.selfCheck to none`;
}

/** The closest CAA records count, up to the root (RFC 8659 §3). */
async function caaProblem(facts: NameFacts, way: ChallengeType): Promise<string | undefined> {
  const { name, identities, account } = facts;
  if (identities.length === 0) return undefined;
  for (let at = withoutWildcard(name); at !== ''; at = at.slice(at.indexOf('.') + 1)) {
    const records = await asked(facts, at, 'CAA');
    if (records === undefined) return undefined;
    if (records.length > 0)
      return caaObstacle(
        { name, identities, ways: [way], accountUrl: account.url },
        { at, records },
      );
    if (!at.includes('.')) return undefined;
  }
  return undefined;
}

/** Whether those who ask for a host come to our edges. What they ask us for is seen to. */
async function edgeProblem(facts: NameFacts): Promise<string | undefined> {
  const { name, zones, ports } = facts;
  const zone = zoneOfHost(zones, name);
  const isOurs =
    zone !== undefined &&
    (await delegationProblem(facts, qualifiedName(zone.metadata))) === undefined;
  if (isOurs) return undefined;
  const [ipv4, ipv6] = [await asked(facts, name, 'A'), await asked(facts, name, 'AAAA')];
  if (ipv4 === undefined || ipv6 === undefined) return undefined;
  const edges = nodeViews(ports.world).filter((node) => hasRole(node, 'edge'));
  const own = edges.flatMap(({ node: { spec } }) => [...spec.ipv4, ...spec.ipv6]);
  const found = [...ipv4, ...ipv6];
  if (found.some((address) => own.includes(address))) return undefined;
  const where = found.length === 0 ? 'has no address' : `leads to ${found.toSorted().join(', ')}`;
  return `${name}: ${where}, and to none of our edges: point it at ${own.toSorted().join(', ') || 'an edge'}, or set spec.acme.selfCheck to none`;
}

/** Undefined: nobody could tell. */
async function asked(
  { dns, signal }: NameFacts,
  name: string,
  type: PublicType,
): Promise<readonly string[] | undefined> {
  return await dns.lookup(name, type, signal).catch(() => undefined);
}

/** For one check: names of one domain ask the same. */
function remembering(dns: PublicDns): PublicDns {
  const known = new Map<string, Promise<readonly string[]>>();
  return {
    lookup(name, type, signal) {
      const key = `${name} ${type}`;
      const found = known.get(key) ?? dns.lookup(name, type, signal);
      known.set(key, found);
      return found;
    },
  };
}
