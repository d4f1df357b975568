import type { Node } from '../../../api/node.ts';
import type { Resource } from '../../../api/object.ts';
import type { Zone } from '../../../api/zone.ts';
import type { DnsServer } from '../../../runtime/dns/client.ts';
import { type Cli, CommandError, errorText } from '../../cli.ts';
import { renderZoneVerdict } from '../../render/dns-check.ts';
import { renderJson, renderYaml } from '../../render/yaml.ts';
import { expectedZone } from './expect.ts';
import type { ExpectedZone } from './facts.ts';
import { gatherFacts } from './gather.ts';
import { exitCodeOf, judgeZone } from './judge.ts';

export interface CheckOptions {
  readonly resolver?: DnsServer;
  readonly port: number;
  readonly tlsPort: number;
  readonly output?: 'json' | 'yaml';
}

export async function checkZone(name: string, options: CheckOptions, cli: Cli): Promise<void> {
  const expected = await askDom(name, cli).catch((cause: unknown) => {
    // Without dom nobody knows what should be.
    throw new CommandError(errorText(cause), { exitCode: EXIT_UNKNOWN, cause });
  });
  const { client, resolvers } = await cli.dns();
  const resolver = options.resolver ?? resolvers[0];
  if (resolver === undefined) {
    throw new CommandError(
      'error: this machine has no resolver: give one with --resolver ADDRESS',
      {
        exitCode: EXIT_UNKNOWN,
      },
    );
  }
  const { port, tlsPort } = options;
  const facts = await gatherFacts(expected, {
    ...{ client, resolver, port, tlsPort },
    signal: cli.signal,
  });
  const verdict = judgeZone(expected, facts, cli.clock.nowMs());
  const exitCode = exitCodeOf(verdict.findings);
  const { output } = options;
  if (output === undefined) cli.terminal.out(renderZoneVerdict(verdict));
  else cli.terminal.out(output === 'json' ? renderJson(verdict) : renderYaml(verdict));
  if (exitCode !== 0) throw new CommandError('', { exitCode });
}

const EXIT_UNKNOWN = 2;

async function askDom(name: string, cli: Cli): Promise<ExpectedZone> {
  const api = await cli.api();
  const zones = await api.list({ kind: 'Zone', namespace: await cli.namespace() });
  const zone = findZone(name, zones.objects as readonly Zone[]);
  const nodes = await api.list({ kind: 'Node', namespace: '' });
  return expectedZone(zone, {
    nodes: nodes.objects as readonly Node[],
    zones: zones.objects as readonly Zone[],
  });
}

/** By name or by origin: both are what a person calls it. */
function findZone(name: string, zones: readonly Zone[]): Zone {
  const origin = name.toLowerCase().replace(/\.$/, '');
  const found =
    zones.find(({ metadata }) => metadata.name === name) ??
    zones.find(({ spec }) => spec.origin.toLowerCase() === origin);
  if (found !== undefined) return found;
  const names = zones.map((zone: Resource) => zone.metadata.name).toSorted();
  const there =
    names.length === 0 ? 'there is none in this namespace' : `there are ${names.join(', ')}`;
  throw new CommandError(`error: no zone has the name or origin "${name}": ${there}`, {
    exitCode: EXIT_UNKNOWN,
  });
}
