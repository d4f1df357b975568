import type { Command } from 'commander';
import { explain } from '../../api/explain.ts';
import { type Cli, CommandError } from '../cli.ts';

/** `explain PATH` */
export function registerExplain(command: Command, cli: Cli): void {
  command
    .argument('<path>', 'a kind, or a field of it: site.spec.tls')
    .addHelpText('after', EXAMPLES)
    .option('--recursive', 'the names of all fields below, without their documentation')
    .action((path: string, { recursive }: { readonly recursive?: true }) => {
      const explanation = explain(path, recursive === true ? 'names' : 'one level');
      if (explanation.kind === 'error') throw new CommandError(`error: ${explanation.message}`);
      cli.terminal.out(`${explanation.text.trimEnd()}\n`);
    });
}

const EXAMPLES = `
Examples:
  b8sctl explain site
  b8sctl explain site.spec.tls
  b8sctl explain zone.spec.records
  b8sctl explain site --recursive`;
