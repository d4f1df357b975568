import { type Command, Option } from 'commander';
import type { Kind } from '../../api/kind.ts';
import { kinds } from '../../api/kinds.ts';
import { API_VERSION } from '../../api/object.ts';
import type { Cli } from '../cli.ts';
import { switchOf } from '../flags.ts';
import { fitOf, renderTable } from '../render/table.ts';

interface ResourcesOptions {
  readonly output?: 'name' | 'wide';
  readonly namespaced?: boolean;
  /** `false`: --no-headers. */
  readonly headers: boolean;
}

/** `api-resources` */
export function registerApiResources(command: Command, cli: Cli): void {
  command
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['name', 'wide']))
    .option('--namespaced [switch]', 'only those in namespaces; false: only the others', switchOf)
    .option('--no-headers', 'without the first line')
    .action((options: ResourcesOptions) => {
      const { namespaced } = options;
      const chosen = kinds
        .filter(({ scope }) => namespaced === undefined || namespaced === (scope === 'namespace'))
        .toSorted((a, b) => (a.plural < b.plural ? -1 : 1));
      print(chosen, options, cli);
    });
}

function print(chosen: readonly Kind[], { output, headers }: ResourcesOptions, cli: Cli): void {
  const { terminal } = cli;
  if (output === 'name') {
    for (const { plural } of chosen) terminal.out(`${plural}.b8s.dev\n`);
    return;
  }
  const wide = output === 'wide';
  const rows = chosen.map((kind) => [
    ...[kind.plural, kind.shortNames.join(','), API_VERSION],
    ...[String(kind.scope === 'namespace'), kind.kind, ...(wide ? [kind.description] : [])],
  ]);
  const named = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND'];
  const header = headers ? [...named, ...(wide ? ['DESCRIPTION'] : [])] : undefined;
  terminal.out(renderTable(rows, { ...(header && { header }), ...fitOf(terminal) }));
}
