import type { Command } from 'commander';
import type { Resource } from '../../api/object.ts';
import { type Zone, zoneKind } from '../../api/zone.ts';
import { dsText } from '../../runtime/dns/dnssec.ts';
import { type Cli, CommandError } from '../cli.ts';
import { type GitConsent, mindGit, withGitConsent } from '../history/git-owner.ts';
import { fetchObject, modify } from '../objects/objects.ts';
import { referenceOf } from '../objects/targets.ts';
import { qualifiedName } from '../render/output.ts';

/** `zone ds NAME`, `zone roll-key NAME` */
export function registerZoneKeys(command: Command, cli: Cli): void {
  command
    .command('ds')
    .description('Print the DS records that the parent of a signed zone should hold.')
    .argument('<zone>', 'a zone, by name')
    .addHelpText('after', '\nExample:\n  b8sctl zone ds example-org')
    .action(async (name: string) => {
      await printDs(name, cli);
    });
  withGitConsent(command.command('roll-key'))
    .description('Let a new key of a signed zone take over from the old one.')
    .argument('<zone>', 'a zone, by name')
    .addHelpText('after', ROLL_EXAMPLES)
    .action(async (name: string, consent: GitConsent) => {
      await rollKey(name, consent, cli);
    });
}

const ROLL_EXAMPLES = `
It adds 1 to spec.dnssec.keyGeneration. A manifest that is applied again should say the same.

Examples:
  b8sctl zone roll-key example-org
  b8sctl describe zone example-org     where it is, and what is for you to do`;

async function printDs(name: string, cli: Cli): Promise<void> {
  const reference = referenceOf({ kind: zoneKind, name }, await cli.namespace());
  const zone = (await fetchObject(await cli.api(), reference)) as Zone;
  assertSigned(zone);
  const { ds = [] } = zone.status ?? {};
  for (const each of ds) cli.terminal.out(`${zone.spec.origin}. IN DS ${dsText(each)}\n`);
  if (ds.length > 0) return;
  const why = zone.status?.conditions?.find(({ type }) => type === 'DNSSEC')?.message;
  cli.terminal.error(`No DS record${why === undefined ? ' yet' : `: ${why}`}\n`);
}

async function rollKey(name: string, consent: GitConsent, cli: Cli): Promise<void> {
  const reference = referenceOf({ kind: zoneKind, name }, await cli.namespace());
  const api = await cli.api();
  const change = (current: Resource): Resource => {
    const zone = current as Zone;
    assertSigned(zone);
    const { dnssec } = zone.spec;
    const phase = zone.status?.dnssec?.phase;
    if (dnssec === undefined || phase !== 'steady') {
      throw new CommandError(
        `error: zone ${name}: its keys are ${phase ?? 'not made yet'}; roll once status.dnssec.phase is steady`,
      );
    }
    const keyGeneration = dnssec.keyGeneration + 1;
    return { ...zone, spec: { ...zone.spec, dnssec: { ...dnssec, keyGeneration } } };
  };
  const { object } = await modify(api, reference, change, (both) =>
    mindGit(api, both, { consent, cli }),
  );
  const { dnssec } = (object as Zone).spec;
  cli.terminal.out(`${qualifiedName(object)} key ${dnssec?.keyGeneration} is made\n`);
}

function assertSigned({ spec, metadata }: Zone): void {
  if (spec.dnssec?.mode === 'signed') return;
  throw new CommandError(
    `error: zone ${metadata.name} is not signed: set spec.dnssec.mode to "signed"`,
  );
}
