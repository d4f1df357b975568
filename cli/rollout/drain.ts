import { formatDuration } from '../../api/duration.ts';
import { type Node, nodeKind } from '../../api/node.ts';
import { condition, type Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { DnsCandidate } from '../../proto/gen/b8s/v1/agent.ts';
import type { Api, ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError, errorText } from '../cli.ts';
import { type GitConsent, mindGit } from '../history/git-owner.ts';
import { fetchObject, modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

export interface DrainOptions extends GitConsent {
  /** `false`: --no-wait. */
  readonly wait: boolean;
  readonly timeout: number;
}

/** How often nameservers are asked. */
const LOOK_MS = 1000;
/** So many names that a person still reads them. */
const SHOWN_MAX = 5;
/** Of nobody (RFC 5737): whether a node is left out does not depend on who asks. */
const CLIENT_IP = '192.0.2.1';

/**
 * Takes an edge out of service so that nobody notices: nameservers leave it out, resolvers forget
 * it, and then its clients are asked to leave. Each step is safe to be repeated.
 */
export async function drainNode(name: string, options: DrainOptions, cli: Cli): Promise<void> {
  const api = await cli.api();
  const reference = referenceOf({ kind: nodeKind, name }, '');
  const node = (await fetchObject(api, reference)) as Node;
  if (options.force !== true) refuseLast(node, await lookAround(api));
  if (node.spec.drain === true) return say(cli, node, 'already drained');
  // Before the first step: it must not be put back between two of them.
  const wanted = { ...node, spec: { ...node.spec, unschedulable: true, drain: true } };
  await mindGit(api, { live: node, wanted }, { consent: options, cli });
  await keepOut(cli, api, reference);
  // Only now: who came before that may not have heard of it.
  const { nodes, sites } = await lookAround(api);
  const named = sites.filter(({ status }) => status?.dns?.candidates.includes(name));
  const ttlS = Math.max(0, ...named.map(({ spec }) => spec.ttl));
  if (!options.wait) {
    const when = `within ${formatDuration(ttlS * 1000)} resolvers forget it`;
    return say(cli, node, `is draining: ${when}; b8sctl drain ${name} waits for that`);
  }
  await waitForNameservers(cli, api, { name, named, nodes, options });
  if (ttlS > 0) {
    say(
      cli,
      node,
      `is left out; waiting ${formatDuration(ttlS * 1000)} for resolvers to forget it`,
    );
    await cli.clock.sleep(ttlS * 1000, cli.signal);
  }
  await askToLeave(cli, api, reference);
}

interface Surroundings {
  readonly nodes: readonly Node[];
  readonly sites: readonly Site[];
}

async function lookAround(api: Api): Promise<Surroundings> {
  const [nodes, sites] = await Promise.all([listOf<Node>(api, 'Node'), listOf<Site>(api, 'Site')]);
  return { nodes, sites };
}

async function listOf<Kind extends Resource>(api: Api, kind: string): Promise<readonly Kind[]> {
  const { objects } = await api.list({ kind, namespace: '' });
  return objects as readonly Kind[];
}

/** Nothing is changed if somebody would be left without an answer. */
function refuseLast(node: Node, { nodes, sites }: Surroundings): void {
  const { name } = node.metadata;
  if (!node.spec.roles.includes('edge')) return;
  const others = new Set(
    nodes.filter((each) => isUp(each) && each.metadata.name !== name).map((o) => o.metadata.name),
  );
  const lonely = sites.filter(({ status }) => {
    if (status?.release === undefined) return false;
    const { candidates } = status.dns ?? {};
    if (candidates === undefined) return others.size === 0;
    return candidates.includes(name) && !candidates.some((each) => others.has(each));
  });
  if (lonely.length === 0) return;
  const names = shortList(lonely.map(({ metadata }) => metadata.name));
  throw new CommandError(
    `error: ${name} is the last edge that is up for ${names}: nobody else would answer; add or uncordon another edge first, or drain it all the same with --force`,
  );
}

function isUp(node: Node): boolean {
  const { spec, metadata } = node;
  const isReady = condition(node, 'Ready')?.status === 'True';
  const isGoing = metadata.deletionTimestamp !== undefined;
  return isReady && !isGoing && !spec.unschedulable && spec.roles.includes('edge');
}

async function keepOut(cli: Cli, api: Api, reference: ObjectReference): Promise<void> {
  const { outcome, object } = await modify(api, reference, (current) => {
    const node = current as Node;
    if (node.spec.unschedulable) return node;
    return { ...node, spec: { ...node.spec, unschedulable: true } };
  });
  if (outcome === 'changed') say(cli, object, 'cordoned');
}

async function askToLeave(cli: Cli, api: Api, reference: ObjectReference): Promise<void> {
  const { object } = await modify(api, reference, (current) => {
    const node = current as Node;
    if (!node.spec.unschedulable)
      throw new CommandError(`error: ${reference.name} was uncordoned meanwhile: it is in use`);
    return { ...node, spec: { ...node.spec, drain: true } };
  });
  say(cli, object, 'drained; you can stop it');
}

interface Asking {
  readonly name: string;
  /** Sites that DNS may answer with the node. */
  readonly named: readonly Site[];
  readonly nodes: readonly Node[];
  readonly options: DrainOptions;
}

/** A nameserver takes the directory over whole, so one name of a site tells for all. */
async function waitForNameservers(cli: Cli, api: Api, asking: Asking): Promise<void> {
  const { name, named, nodes, options } = asking;
  const { clock, signal, terminal } = cli;
  const host = named[0]?.spec.hosts[0];
  const untilMs = clock.monotonicMs() + options.timeout;
  let waiting: readonly NameserverWait[] = nodes
    .filter(({ spec }) => host !== undefined && spec.roles.includes('nameserver'))
    .map(({ metadata }) => ({ server: metadata.name, why: '' }));
  let told = '';
  for (;;) {
    waiting = await stillNaming(api, { name, host: host ?? '', nodes }, waiting);
    if (waiting.length === 0) return;
    const list = shortList(waiting.map(({ server, why }) => `${server} (${why})`));
    if (clock.monotonicMs() >= untilMs) {
      if (options.force === true) return terminal.error(`warning: not waiting for ${list}\n`);
      throw new CommandError(
        `error: ${name} is cordoned, but may still be answered with by ${list}: see b8sctl get nodes, or go on without them with --force`,
      );
    }
    if (list !== told) terminal.out(`waiting for nameservers to leave it out: ${list}\n`);
    told = list;
    await clock.sleep(LOOK_MS, signal);
  }
}

interface NameserverWait {
  readonly server: string;
  readonly why: string;
}

async function stillNaming(
  api: Api,
  {
    name,
    host,
    nodes,
  }: { readonly name: string; readonly host: string; readonly nodes: readonly Node[] },
  servers: readonly NameserverWait[],
): Promise<readonly NameserverWait[]> {
  const own = nodes.find(({ metadata }) => metadata.name === name);
  const type = (own?.spec.ipv4.length ?? 0) > 0 ? 'A' : 'AAAA';
  const asked = await Promise.all(
    servers.map(async ({ server }): Promise<NameserverWait | undefined> => {
      try {
        const question = { name: host, type, clientIp: CLIENT_IP, server };
        const { candidates } = await api.explainDns(question);
        const why = reasonToWait(candidates.find(({ node }) => node === name));
        return why === undefined ? undefined : { server, why };
      } catch (error) {
        return { server, why: errorText(error) };
      }
    }),
  );
  return asked.filter((each) => each !== undefined);
}

function reasonToWait(candidate: DnsCandidate | undefined): string | undefined {
  if (candidate === undefined) return undefined;
  if (candidate.chosen && candidate.health === 'unschedulable')
    return 'it answers with it all the same: no other is up';
  return candidate.health === 'up' ? 'it has not heard of it yet' : undefined;
}

function say(cli: Cli, object: Resource, words: string): void {
  cli.terminal.out(`${qualifiedName(object)} ${words}\n`);
}

function shortList(items: readonly string[]): string {
  const more = items.length - SHOWN_MAX;
  const shown = items.slice(0, SHOWN_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
