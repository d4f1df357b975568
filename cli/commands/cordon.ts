import type { Command } from 'commander';
import { type Node, nodeKind } from '../../api/node.ts';
import type { Resource } from '../../api/object.ts';
import type { Cli } from '../cli.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { forEachOrFail, modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

/** `cordon NODE...` */
export function registerCordon(command: Command, cli: Cli): void {
  withGitConsent(command)
    .argument('<nodes...>', 'nodes by name')
    .addHelpText('after', '\nExample:\n  b8sctl cordon fra1')
    .action(async (names: readonly string[], consent: GitConsent) => {
      await setUnschedulable(names, { unschedulable: true, said: 'cordoned', consent }, cli);
    });
}

/** `uncordon NODE...` */
export function registerUncordon(command: Command, cli: Cli): void {
  withGitConsent(command)
    .argument('<nodes...>', 'nodes by name')
    .addHelpText('after', '\nExample:\n  b8sctl uncordon fra1')
    .action(async (names: readonly string[], consent: GitConsent) => {
      await setUnschedulable(names, { unschedulable: false, said: 'uncordoned', consent }, cli);
    });
}

async function setUnschedulable(
  names: readonly string[],
  {
    unschedulable,
    said,
    consent,
  }: { readonly unschedulable: boolean; readonly said: string; readonly consent: GitConsent },
  cli: Cli,
): Promise<void> {
  const api = await cli.api();
  await forEachOrFail(cli, names, async (word) => {
    const name = word.replace(/^(nodes?|no)\//, '');
    const reference = referenceOf({ kind: nodeKind, name }, '');
    const change = (current: Resource): Resource => {
      const node = current as Node;
      const { drain, ...spec } = node.spec;
      if (spec.unschedulable === unschedulable && (unschedulable || drain !== true)) return node;
      // Who takes it into use again does not send its clients away.
      return {
        ...node,
        spec: { ...spec, ...(unschedulable && drain && { drain }), unschedulable },
      };
    };
    const { outcome, object } = await modify(api, reference, change, (both) =>
      mindGit(api, both, { consent, cli }),
    );
    const prefix = outcome === 'changed' ? '' : 'already ';
    cli.terminal.out(`${qualifiedName(object)} ${prefix}${said}\n`);
  });
}
