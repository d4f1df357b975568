import type { Command } from 'commander';
import { kinds } from '../../api/kinds.ts';
import { API_VERSION } from '../../api/object.ts';
import type { Cli } from '../cli.ts';
import { fitOf, renderTable } from '../render/table.ts';

/** `api-resources` */
export function registerApiResources(command: Command, cli: Cli): void {
  command.action(() => {
    const rows = kinds
      .toSorted((a, b) => (a.plural < b.plural ? -1 : 1))
      .map((kind) => [
        kind.plural,
        kind.shortNames.join(','),
        API_VERSION,
        String(kind.scope === 'namespace'),
        kind.kind,
      ]);
    const header = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND'];
    cli.terminal.out(renderTable(rows, { header, ...fitOf(cli.terminal) }));
  });
}
