import { type Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { renderDnsExplanation } from '../render/dns.ts';
import { renderJson } from '../render/yaml.ts';

interface ExplainOptions {
  readonly client: string;
  readonly type: string;
  readonly server?: string;
  readonly output?: 'json';
}

/** `dns explain HOST --client IP` */
export function registerDns(command: Command, cli: Cli): void {
  command
    .command('explain')
    .description('Show which nodes a client would be sent to, and why.')
    .argument('<host>', 'a host name of a site')
    .requiredOption('--client <address>', "the client's IPv4 or IPv6 address")
    .option('--type <type>', 'the type of record', 'A')
    .option('--server <node>', 'the nameserver to ask; left out: any that is connected')
    .addOption(new Option('-o, --output <format>', 'for scripts').choices(['json']))
    .addHelpText('after', EXAMPLES)
    .action(async (host: string, options: ExplainOptions) => {
      await explainDns(host, options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl dns explain blog.example.com --client 203.0.113.7
  b8sctl dns explain blog.example.com --client 2001:db8::7 --type AAAA --server fra1`;

async function explainDns(host: string, options: ExplainOptions, cli: Cli): Promise<void> {
  const question = { name: host, type: options.type.toUpperCase(), clientIp: options.client };
  const api = await cli.api();
  const explanation = await api.explainDns({ ...question, server: options.server ?? '' });
  const text =
    options.output === 'json'
      ? renderJson(explanation)
      : renderDnsExplanation(question, explanation);
  cli.terminal.out(text);
}
