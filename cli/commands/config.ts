import type { Command } from 'commander';
import { type ClientConfig, redactConfig, renderConfig } from '../../runtime/client-config.ts';
import type { Terminal } from '../../runtime/terminal.ts';
import { type Cli, CommandError } from '../cli.ts';
import { readConfigFiles } from '../config-files.ts';
import { fitOf, renderTable } from '../render/table.ts';

/** `config get-contexts|use-context|current-context|view` */
export function registerConfig(command: Command, cli: Cli): void {
  command
    .command('get-contexts')
    .description('List the contexts.')
    .action(async () => {
      cli.terminal.out(renderContexts(await cli.config(), cli.terminal));
    });
  command
    .command('current-context')
    .description('Print the name of the current context.')
    .action(async () => {
      const { currentContext } = await cli.config();
      if (currentContext === '') throw new CommandError('error: current-context is not set');
      cli.terminal.out(`${currentContext}\n`);
    });
  command
    .command('use-context')
    .description('Make a context the current one.')
    .argument('<name>', 'a context')
    .action(async (name: string) => {
      await useContext(name, cli);
    });
  command
    .command('view')
    .description('Print the config, without keys and certificates.')
    .action(async () => {
      cli.terminal.out(renderConfig(redactConfig(await cli.config())));
    });
  command.addHelpText('after', '\nExample:\n  b8sctl config use-context production');
}

async function useContext(name: string, cli: Cli): Promise<void> {
  const config = await cli.config();
  if (!config.contexts.some((context) => context.name === name)) {
    const known = config.contexts.map((context) => context.name).join(', ');
    throw new CommandError(`error: no context exists with the name: "${name}"; there are ${known}`);
  }
  // Where one is current already, or else in the first: the first that says so counts.
  const files = await readConfigFiles(cli);
  const file = files.find((each) => each.config.currentContext !== '') ?? files[0];
  if (file === undefined) return;
  await cli.files.writeText(file.path, renderConfig({ ...file.config, currentContext: name }));
  cli.terminal.out(`Switched to context "${name}".\n`);
}

function renderContexts(
  { contexts, clusters, currentContext }: ClientConfig,
  terminal: Terminal,
): string {
  const rows = contexts.map(({ name, context }) => [
    name === currentContext ? '*' : '',
    name,
    context.cluster,
    clusters.find((each) => each.name === context.cluster)?.cluster.server ?? '',
    context.user,
    context.namespace ?? '',
  ]);
  const header = ['CURRENT', 'NAME', 'CLUSTER', 'SERVER', 'USER', 'NAMESPACE'];
  return renderTable(rows, { header, ...fitOf(terminal) });
}
