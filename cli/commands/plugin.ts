import { basename } from 'node:path';
import type { Command } from 'commander';
import { type Cli, CommandError } from '../cli.ts';
import { commands } from '../commands.ts';
import { PLUGIN_PREFIX } from '../plugin.ts';

/** `plugin list` */
export function registerPlugin(command: Command, cli: Cli): void {
  command
    .command('list')
    .description('List the plugins: programs on PATH called b8sctl-NAME, run by b8sctl NAME.')
    .action(async () => {
      const paths = await cli.plugins.list(PLUGIN_PREFIX);
      if (paths.length === 0) throw new CommandError('error: no b8sctl-… programs on PATH');
      const seen = new Set<string>();
      for (const path of paths) {
        const name = basename(path);
        cli.terminal.out(`${path}\n`);
        const [first = ''] = name.slice(PLUGIN_PREFIX.length).split('-');
        const isOurs = commands.some((each) => each.name === first.replaceAll('_', '-'));
        if (isOurs) cli.terminal.error(`  Warning: never run, for b8sctl has a command ${first}\n`);
        if (seen.has(name))
          cli.terminal.error('  Warning: never run, for one comes earlier on PATH\n');
        seen.add(name);
      }
    });
}
