import { formatDuration } from '../../api/duration.ts';
import { isDrained, type Node, nodeKind } from '../../api/node.ts';
import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import type { Api, ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError, errorText } from '../cli.ts';
import { type GitConsent, mindGit } from '../history/git-owner.ts';
import { fetchObject, modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';
import {
  type DrainQuestion,
  drainQuestions,
  forgottenInS,
  reasonToWait,
  type Surroundings,
  shortList,
  sitesNamedBefore,
  sitesNaming,
  whyLast,
} from './drain-plan.ts';

export interface DrainOptions extends GitConsent {
  /** `false`: --no-wait. */
  readonly wait: boolean;
  readonly timeout: number;
}

/** How often nameservers are asked. */
const LOOK_MS = 1000;
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
  if (isDrained(node)) return say(cli, node, 'already drained');
  // Before the first step: it must not be put back between two of them.
  const wanted = { ...node, spec: { ...node.spec, unschedulable: true, drain: true } };
  await mindGit(api, { live: node, wanted }, { consent: options, cli });
  await keepOut(cli, api, reference);
  // Only now: who came before that may not have heard of it.
  const around = await lookAround(api);
  const named = sitesNaming(name, around);
  if (!options.wait) {
    const when = `within ${formatDuration(1000 * (await longestTtlS(cli, api, named)))}`;
    const hint = `b8sctl drain ${name} waits for that`;
    return say(cli, node, `is draining: ${when} resolvers forget it; ${hint}`);
  }
  const found = await waitForNameservers(cli, api, { name, around, options });
  const answered = found === 'some behind' ? sitesNamedBefore(around) : named;
  const ttlS = await longestTtlS(cli, api, answered);
  nameSecondaries(cli, name, around);
  if (ttlS > 0) {
    const wait = formatDuration(ttlS * 1000);
    say(cli, node, `is left out; waiting ${wait} for resolvers to forget it`);
    await cli.clock.sleep(ttlS * 1000, cli.signal);
    // Another edge may have died meanwhile.
    await waitForNameservers(cli, api, { name, around: await lookAround(api), options });
  }
  await askToLeave(cli, api, reference);
}

async function lookAround(api: Api): Promise<Surroundings> {
  const [nodes, sites, zones] = await Promise.all([
    listOf<Node>(api, 'Node'),
    listOf<Site>(api, 'Site'),
    listOf<Zone>(api, 'Zone'),
  ]);
  return { nodes, sites, zones };
}

async function listOf<Kind extends Resource>(api: Api, kind: string): Promise<readonly Kind[]> {
  const { objects } = await api.list({ kind, namespace: '' });
  return objects as readonly Kind[];
}

/** Nothing is changed if somebody would be left without an answer. */
function refuseLast(node: Node, around: Surroundings): void {
  const why = whyLast(node, around);
  if (why !== undefined)
    throw new CommandError(`error: ${why}, or drain it all the same with --force`);
}

/** Only a Site that was changed may have had another TTL. */
async function longestTtlS(cli: Cli, api: Api, sites: readonly Site[]): Promise<number> {
  const ttls = await Promise.all(
    sites.map(async (site) => {
      if (site.metadata.generation < 2) return site.spec.ttl;
      const { namespace = '', name } = site.metadata;
      const history = await api.history({ kind: 'Site', namespace, name });
      return forgottenInS(site, history, cli.clock.nowMs());
    }),
  );
  return Math.max(0, ...ttls);
}

/** Dom cannot ask them: they are somebody else's, and answer with every edge that was up. */
function nameSecondaries(cli: Cli, name: string, { zones }: Surroundings): void {
  for (const { spec } of zones) {
    const { secondaries = [], soa, origin } = spec;
    if (secondaries.length === 0) continue;
    const list = shortList(secondaries.map(({ address }) => address));
    const most = formatDuration(soa.refreshS * 1000);
    cli.terminal.error(
      `warning: ${origin} is served by ${list}, too: what has missed the news answers with ${name} for up to ${most} more (soa.refreshS)\n`,
    );
  }
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
  readonly around: Surroundings;
  readonly options: DrainOptions;
}

/** Resolves once each has left it out. Those that could not be asked at first may have been behind. */
async function waitForNameservers(
  cli: Cli,
  api: Api,
  { name, around, options }: Asking,
): Promise<'all current' | 'some behind'> {
  const { clock, signal, terminal } = cli;
  const untilMs = clock.monotonicMs() + options.timeout;
  const questions = drainQuestions(name, around);
  const own = around.nodes.find(({ metadata }) => metadata.name === name);
  const type = (own?.spec.ipv4.length ?? 0) > 0 ? 'A' : 'AAAA';
  let waiting: readonly NameserverWait[] = around.nodes
    .filter(({ spec }) => questions.length > 0 && spec.roles.includes('nameserver'))
    .map(({ metadata }) => ({ server: metadata.name, why: '', isBehind: false }));
  let [told, found]: [string, 'all current' | 'some behind'] = ['', 'all current'];
  for (;;) {
    waiting = await stillNaming(api, { name, type, questions }, waiting);
    if (waiting.length === 0) return found;
    if (waiting.some(({ isBehind }) => isBehind)) found = 'some behind';
    const list = shortList(waiting.map(({ server, why }) => `${server} (${why})`));
    if (clock.monotonicMs() >= untilMs) {
      if (options.force === true) {
        terminal.error(`warning: not waiting for ${list}\n`);
        return found;
      }
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
  /** It has another version of a Zone than dom, or nobody knows which. */
  readonly isBehind: boolean;
}

async function stillNaming(
  api: Api,
  asking: {
    readonly name: string;
    readonly type: string;
    readonly questions: readonly DrainQuestion[];
  },
  servers: readonly NameserverWait[],
): Promise<readonly NameserverWait[]> {
  const { name, type, questions } = asking;
  const asked = await Promise.all(
    servers.map(async ({ server }): Promise<NameserverWait | undefined> => {
      try {
        for (const question of questions) {
          const { host } = question;
          const asks = { name: host, type, clientIp: CLIENT_IP, server };
          const why = reasonToWait(name, question, await api.explainDns(asks));
          if (why !== undefined) return { server, why, isBehind: question.of === 'zone' };
        }
        return undefined;
      } catch (error) {
        return { server, why: errorText(error), isBehind: true };
      }
    }),
  );
  return asked.filter((each) => each !== undefined);
}

function say(cli: Cli, object: Resource, words: string): void {
  cli.terminal.out(`${qualifiedName(object)} ${words}\n`);
}
