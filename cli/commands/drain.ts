import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { durationOption } from '../flags.ts';
import { forEachOrFail } from '../objects/objects.ts';
import { type DrainOptions, drainNode } from '../rollout/drain.ts';

const TIMEOUT_MS = 300_000;

/** `drain NODE...` */
export function registerDrain(command: Command, cli: Cli): void {
  command
    .argument('<nodes...>', 'nodes by name')
    .option('--no-wait', 'only begin: keep it out of new answers, and say how long it takes')
    .addOption(durationOption('for how long nameservers may take to leave it out', TIMEOUT_MS))
    .option(
      '--force',
      'also the last edge of a site, past silent nameservers, and what a Repository puts back',
    )
    .option('--suspend', 'suspend the Repository that declares the node before')
    .addHelpText('after', EXAMPLES)
    .action(async (names: readonly string[], options: DrainOptions) => {
      await forEachOrFail(cli, names, (word) => {
        return drainNode(word.replace(/^(nodes?|no)\//, ''), options, cli);
      });
    });
}

const EXAMPLES = `
Nameservers leave the node out, resolvers forget it, then clients that are still
connected are asked to go. Nobody loses an answer when sub is stopped after that.
Ctrl-C leaves it cordoned; drain it again to go on, or b8sctl uncordon it.

Examples:
  b8sctl drain fra1 && ssh fra1 systemctl stop b8s-sub
  b8sctl drain fra1 --no-wait`;
