import type { Node } from '../../api/node.ts';
import type { DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import { type Cli, CommandError, errorText } from '../cli.ts';
import { renderDnsComparison, renderDnsExplanation } from '../render/dns.ts';
import { fitOf } from '../render/table.ts';
import { renderJson, renderYaml } from '../render/yaml.ts';

export interface ExplainOptions {
  readonly client: string;
  readonly type: string;
  readonly server?: string;
  readonly allServers?: true;
  readonly output?: 'json' | 'yaml';
}

/** What one nameserver said, or why it did not. */
export interface ServerExplanation {
  readonly server: string;
  readonly explanation?: DnsExplanation;
  readonly error?: string;
}

export async function explainDns(host: string, options: ExplainOptions, cli: Cli): Promise<void> {
  const question = {
    name: host.toLowerCase(),
    type: options.type.toUpperCase(),
    clientIp: options.client,
  };
  if (options.allServers) return await explainByAll(question, options, cli);
  const api = await cli.api();
  const explanation = await api.explainDns({ ...question, server: options.server ?? '' });
  cli.terminal.out(
    document(explanation, options.output) ??
      renderDnsExplanation(question, explanation, fitOf(cli.terminal)),
  );
}

/** Exits with 1 when nameservers differ or one does not say. */
async function explainByAll(
  question: { readonly name: string; readonly type: string; readonly clientIp: string },
  { output }: ExplainOptions,
  cli: Cli,
): Promise<void> {
  const api = await cli.api();
  const { objects } = await api.list({ kind: 'Node', namespace: '' });
  const servers = (objects as readonly Node[])
    .filter(({ spec }) => spec.roles.includes('nameserver'))
    .map(({ metadata }) => metadata.name)
    .toSorted();
  if (servers.length === 0) {
    throw new CommandError('error: no node has the role nameserver: see b8sctl get nodes');
  }
  const said = await Promise.all(
    servers.map(async (server): Promise<ServerExplanation> => {
      try {
        return { server, explanation: await api.explainDns({ ...question, server }) };
      } catch (error) {
        return { server, error: errorText(error) };
      }
    }),
  );
  cli.terminal.out(
    document(said, output) ?? renderDnsComparison(question, said, fitOf(cli.terminal)),
  );
  const answers = new Set(said.map(({ explanation }) => explanation?.answers.toSorted().join(' ')));
  if (answers.size > 1 || answers.has(undefined)) throw new CommandError('', { exitCode: 1 });
}

/** Undefined: a person reads it. */
function document(value: unknown, output: ExplainOptions['output']): string | undefined {
  if (output === undefined) return undefined;
  return output === 'json' ? renderJson(value) : renderYaml(value);
}
