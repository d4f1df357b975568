import { join } from 'node:path';
import { portsFree } from '../../../runtime/node/free-ports.ts';
import type { Scene } from '../../support/scene.ts';
import { KNOT, NSD, programsMissing, type RunningServer, startNsd } from './programs.ts';
import { startSigningKnot, startUnbound, UNBOUND } from './resolvers.ts';

/** Resolvers know of no other port. */
export const DNS_PORT = 53;

/** A root, a registry that signs, and what resolvers are told to trust of it. */
export interface Internet {
  readonly rootHint: string;
  /** The DS record of the registry's zone. */
  readonly anchor: string;
  startResolver(
    options: Omit<Parameters<typeof startUnbound>[0], 'folder' | 'rootHint'>,
  ): Promise<RunningServer>;
}

/** What a registrar is told of a zone, as records; docs/dns.md says how to come by them. */
export interface Delegation {
  readonly ns: readonly string[];
  readonly glue: readonly string[];
  /** Empty: the zone is not signed. */
  readonly ds: readonly string[];
}

/** Why no such Internet can be made here; undefined: it can. */
export async function internetMissing(area: string): Promise<string | undefined> {
  const missing = programsMissing([
    NSD,
    KNOT,
    UNBOUND,
    '/usr/bin/delv',
    '/usr/bin/dnssec-dsfromkey',
  ]);
  if (missing !== undefined) return missing;
  const free = await portsFree([`${area}.0.11`, `${area}.2.1`], DNS_PORT);
  return free ? undefined : 'port 53 cannot be had: something listens, or this is not root';
}

/** `.` and `example.`, until `stopServers`, on 127.<area>.2.1 and .2. */
export async function startInternet(
  folder: string,
  area: string,
  delegations: readonly Delegation[],
): Promise<Internet> {
  const [root, registry] = [`${area}.2.1`, `${area}.2.2`];
  const soa = (name: string): string =>
    `${name} 3600 IN SOA ns.${name} host.${name} 1 60 60 3600 5`;
  const registryZone = [
    '$TTL 3600',
    soa('example.'),
    'example. 3600 IN NS ns.example.',
    `ns.example. 3600 IN A ${registry}`,
    ...delegations.flatMap(({ ns, glue, ds }) => [...ns, ...glue, ...ds]),
    '',
  ].join('\n');
  const tld = await startSigningKnot({
    ...{ folder, address: registry, port: DNS_PORT, origin: 'example.', text: registryZone },
  });
  const rootZone = [
    '. 3600 IN SOA a.root. host.root. 1 60 60 3600 5',
    '. 3600 IN NS a.root.',
    `a.root. 3600 IN A ${root}`,
    'example. 3600 IN NS ns.example.',
    `ns.example. 3600 IN A ${registry}`,
    '',
  ].join('\n');
  const zones = [{ origin: '.', text: rootZone }];
  await startNsd({ folder: join(folder, 'root'), address: root, port: DNS_PORT, zones });
  return {
    rootHint: root,
    anchor: tld.ds,
    startResolver: (options) => startUnbound({ ...options, folder, rootHint: root }),
  };
}

/** What `b8sctl dns check` says that the registrar should hold, before there is any delegation. */
export async function delegationOf({ cluster, dom }: Scene, zone: string): Promise<Delegation> {
  const nobody = dom.address;
  const args = ['dns', 'check', zone, '--resolver', nobody, '-o', 'json'];
  const { stdout, stderr, exitCode } = await cluster.b8sctl(args);
  if (exitCode !== CANNOT_BE_TOLD) throw new Error(`dns check: exit ${exitCode}: ${stderr}`);
  return (JSON.parse(stdout) as { readonly registrar: Delegation }).registrar;
}

const CANNOT_BE_TOLD = 2;
