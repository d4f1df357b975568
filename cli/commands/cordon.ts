import type { Command } from 'commander';
import { type Node, nodeKind } from '../../api/node.ts';
import type { Cli } from '../cli.ts';
import { forEachOrFail, modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

/** `cordon NODE...` */
export function registerCordon(command: Command, cli: Cli): void {
  command
    .argument('<nodes...>', 'nodes by name')
    .addHelpText('after', '\nExample:\n  b8sctl cordon fra1')
    .action(async (names: readonly string[]) => {
      await setUnschedulable(names, { unschedulable: true, said: 'cordoned' }, cli);
    });
}

/** `uncordon NODE...` */
export function registerUncordon(command: Command, cli: Cli): void {
  command
    .argument('<nodes...>', 'nodes by name')
    .addHelpText('after', '\nExample:\n  b8sctl uncordon fra1')
    .action(async (names: readonly string[]) => {
      await setUnschedulable(names, { unschedulable: false, said: 'uncordoned' }, cli);
    });
}

async function setUnschedulable(
  names: readonly string[],
  { unschedulable, said }: { readonly unschedulable: boolean; readonly said: string },
  cli: Cli,
): Promise<void> {
  const api = await cli.api();
  await forEachOrFail(cli, names, async (word) => {
    const name = word.replace(/^(nodes?|no)\//, '');
    const reference = referenceOf({ kind: nodeKind, name }, '');
    const { outcome, object } = await modify(api, reference, (current) => {
      const node = current as Node;
      const { drain, ...spec } = node.spec;
      if (spec.unschedulable === unschedulable && (unschedulable || drain !== true)) return node;
      // Who takes it into use again does not send its clients away.
      return {
        ...node,
        spec: { ...spec, ...(unschedulable && drain && { drain }), unschedulable },
      };
    });
    const prefix = outcome === 'changed' ? '' : 'already ';
    cli.terminal.out(`${qualifiedName(object)} ${prefix}${said}\n`);
  });
}
