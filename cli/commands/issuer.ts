import type { Command } from 'commander';
import { type Issuer, issuerKind } from '../../api/issuer.ts';
import { ROLLOVER_REQUESTED } from '../../api/requests.ts';
import { type Cli, CommandError } from '../cli.ts';
import { modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';
import { annotated } from './cert.ts';

/** `issuer rollover NAME` */
export function registerIssuer(command: Command, cli: Cli): void {
  command
    .command('rollover')
    .description('Give the account of an issuer a new key, and end the old one.')
    .argument('<name>', 'an issuer with an ACME account, by name')
    .addHelpText('after', '\nExample:\n  b8sctl issuer rollover letsencrypt')
    .action(async (word: string) => {
      const reference = referenceOf(
        { kind: issuerKind, name: word.replace(/^iss(uers?)?\//, '') },
        '',
      );
      const requested = new Date(cli.clock.nowMs()).toISOString();
      const { object } = await modify(await cli.api(), reference, (current) => {
        if ((current as Issuer).spec.acme === undefined)
          throw new CommandError(
            `error: issuer ${reference.name} has no account: it is not of the type acme`,
          );
        return annotated(current, ROLLOVER_REQUESTED, requested);
      });
      cli.terminal.out(`${qualifiedName(object)} gets a new account key\n`);
    });
}
