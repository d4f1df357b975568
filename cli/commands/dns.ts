import { type Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { type CheckOptions, checkZone } from '../dns/check/check.ts';
import { type ExplainOptions, explainDns } from '../dns/explain.ts';
import { dnsServerOf, portOf } from '../flags.ts';

/** `dns explain HOST --client IP` and `dns check ZONE` */
export function registerDns(command: Command, cli: Cli): void {
  command
    .command('explain')
    .description('Show which nodes a client would be sent to, and why.')
    .argument('<host>', 'a host name of a site')
    .requiredOption('--client <address>', "the client's IPv4 or IPv6 address")
    .option('--type <type>', 'the type of record', 'A')
    .addOption(
      new Option('--server <node>', 'the nameserver to ask; left out: any connected one').conflicts(
        'allServers',
      ),
    )
    .option('--all-servers', 'ask every nameserver, and say where they differ')
    .addOption(new Option('-o, --output <format>', 'for scripts').choices(['json', 'yaml']))
    .addHelpText('after', EXPLAIN_EXAMPLES)
    .action(async (host: string, options: ExplainOptions) => {
      await explainDns(host, options, cli);
    });
  command
    .command('check')
    .description('Ask the parent and every nameserver of a zone, and say what does not agree.')
    .argument('<zone>', 'a zone, by name or by origin')
    .option('--resolver <address>', "a resolver to ask; left out: the machine's own", dnsServerOf)
    .option('--port <port>', 'where nameservers are asked', portOf, 53)
    .option('--tls-port <port>', 'where DNS over TLS would be', portOf, 853)
    .addOption(new Option('-o, --output <format>', 'for scripts').choices(['json', 'yaml']))
    .addHelpText('after', CHECK_EXAMPLES)
    .action(async (zone: string, options: CheckOptions) => {
      await checkZone(zone, options, cli);
    });
}

const EXPLAIN_EXAMPLES = `
Examples:
  b8sctl dns explain blog.example.com --client 203.0.113.7
  b8sctl dns explain blog.example.com --client 2001:db8::7 --type AAAA --server fra1
  b8sctl dns explain blog.example.com --client 203.0.113.7 --all-servers -o yaml`;

const CHECK_EXAMPLES = `
Exits with 0 if all agree, 1 if something does not, and 2 if it could not be told from here.

Examples:
  b8sctl dns check example-com
  b8sctl dns check example.com --resolver 9.9.9.9
  b8sctl dns check example.com -o json`;
