import type { Command } from 'commander';
import { formatDuration } from '../../api/duration.ts';
import type { Cli } from '../cli.ts';
import { CommandError } from '../cli.ts';
import { durationOption } from '../flags.ts';
import { fitOf, renderTable } from '../render/table.ts';

const TTL_MS = 15 * 60_000;
const TTL_MS_MAX = 60 * 60_000;

interface CreateOptions {
  readonly node?: string;
  readonly ttl: number;
}

/** `node token create|list|revoke` */
export function registerNode(command: Command, cli: Cli): void {
  const token = command.command('token').description('Make, list and revoke tokens to join with.');
  token
    .command('create')
    .description('Print the one command that lets a machine join, once.')
    .option('--node <name>', 'only for a node of this name')
    .addOption(durationOption('for how long it is good, at most 1h', TTL_MS, { flag: '--ttl' }))
    .addHelpText('after', EXAMPLES)
    .action(async (options: CreateOptions) => {
      await createToken(options, cli);
    });
  token
    .command('list')
    .description('List the tokens that are still good; never their secrets.')
    .action(async () => {
      await listTokens(cli);
    });
  token
    .command('revoke')
    .description('Make tokens useless.')
    .argument('<ids...>', 'tokens by id, see b8sctl node token list')
    .action(async (ids: readonly string[]) => {
      const api = await cli.api();
      for (const id of ids) {
        await api.revokeToken(id);
        cli.terminal.out(`token ${id} revoked\n`);
      }
    });
}

const EXAMPLES = `
The command goes to stdout, all else to stderr.

Examples:
  b8sctl node token create --node fra1
  ssh fra1 "$(b8sctl node token create --node fra1)"`;

async function createToken({ node = '', ttl }: CreateOptions, cli: Cli): Promise<void> {
  if (ttl < 1000 || ttl > TTL_MS_MAX) throw new CommandError('error: --ttl must be 1s to 1h');
  const api = await cli.api();
  const created = await api.createToken({ node, ttlS: Math.round(ttl / 1000) });
  const [address, ...others] = created.addresses;
  if (address === undefined) {
    throw new CommandError('error: dom does not know at which address machines can reach it');
  }
  // Without a name the machine's own one serves: its shell fills it in.
  const name = node === '' ? '"$(hostname)"' : node;
  const { terminal } = cli;
  terminal.error(
    `Run this on the machine, as root. It works once, within ${formatDuration(ttl)}:\n`,
  );
  terminal.out(
    `sub join https://${address} --token ${created.token} --ca ${created.caHash} --name ${name}\n`,
  );
  if (others.length > 0) terminal.error(`dom is also at ${others.join(', ')}\n`);
}

async function listTokens(cli: Cli): Promise<void> {
  const tokens = await (await cli.api()).listTokens();
  if (tokens.length === 0) {
    cli.terminal.error('No tokens found\n');
    return;
  }
  const nowMs = cli.clock.nowMs();
  const rows = tokens.map((token) => [
    token.id,
    token.node === '' ? '<any>' : token.node,
    formatDuration(token.expiresMs - nowMs),
    token.createdBy,
  ]);
  const header = ['ID', 'NODE', 'EXPIRES-IN', 'CREATED-BY'];
  cli.terminal.out(renderTable(rows, { header, ...fitOf(cli.terminal) }));
}
