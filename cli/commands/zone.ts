import { type Command, Option } from 'commander';
import { objectNameProblem } from '../../api/names.ts';
import { API_VERSION } from '../../api/object.ts';
import { validateObject } from '../../api/validate.ts';
import type { Zone } from '../../api/zone.ts';
import type { ZoneFileMessage } from '../../api/zone-file/entries.ts';
import { parseZoneFile, type ZoneFileSpec } from '../../api/zone-file/parse.ts';
import type { DeclaredObject } from '../../runtime/api-client.ts';
import { type Cli, CommandError, MANAGER } from '../cli.ts';
import { zoneFileOf } from '../dns/zone-export.ts';
import { fetchObject, findObject } from '../objects/objects.ts';
import { qualifiedName } from '../render/output.ts';
import { renderYaml } from '../render/yaml.ts';
import { registerZoneKeys } from './zone-keys.ts';

interface ImportOptions {
  readonly name?: string;
  readonly origin?: string;
  readonly dryRun?: true;
  readonly output?: 'yaml';
}

/** `zone import FILE|-`, `zone export NAME`, and see `registerZoneKeys`. */
export function registerZone(command: Command, cli: Cli): void {
  command
    .command('import')
    .description('Make a zone of a zone file (RFC 1035).')
    .argument('<file>', 'a zone file, or - for standard input')
    .option('--name <name>', 'what the Zone is called; left out: its origin with "-" for each dot')
    .option('--origin <origin>', 'what names without a final dot are relative to, as $ORIGIN says')
    .option('--dry-run', 'change nothing: ask dom what would happen')
    .addOption(new Option('-o, --output <format>', 'print the manifest').choices(['yaml']))
    .addHelpText('after', IMPORT_EXAMPLES)
    .action(async (file: string, options: ImportOptions) => {
      await importZone(file, options, cli);
    });
  command
    .command('export')
    .description('Print a zone as a zone file that BIND, NSD, Knot and zone import read.')
    .argument('<zone>', 'a zone, by name')
    .addHelpText('after', EXPORT_EXAMPLES)
    .action(async (name: string) => {
      await exportZone(name, cli);
    });
  registerZoneKeys(command, cli);
}

const IMPORT_EXAMPLES = `
The SOA becomes spec.soa, the NS records of the zone itself spec.nameservers. What b8s makes by
itself (RRSIG, NSEC, DNSKEY ...) is left out, and stderr tells of all that differs.

Examples:
  b8sctl zone import db.example.org --dry-run
  b8sctl zone import db.example.org -o yaml > zone.yaml      look at it, then apply it
  dig @ns1.example.org example.org AXFR | b8sctl zone import -`;

const EXPORT_EXAMPLES = `
Names of sites are comments: their addresses depend on who asks.

Examples:
  b8sctl zone export example-org > db.example.org`;

async function importZone(file: string, options: ImportOptions, cli: Cli): Promise<void> {
  const source = file === '-' ? 'standard input' : file;
  const text = file === '-' ? await cli.files.readStandardInput() : await cli.files.readText(file);
  if (text === undefined) throw new CommandError(`error: the path "${file}" does not exist`);
  const { origin } = options;
  const outcome = parseZoneFile(text, origin === undefined ? {} : { origin });
  if (outcome.kind === 'errors') {
    const head = `error: ${source} is no zone that b8s can serve:`;
    throw new CommandError(
      [head, ...outcome.errors.map((each) => told(source, each))].join('\n  '),
    );
  }
  const { spec, notes } = outcome;
  for (const note of notes) cli.terminal.error(`Note: ${told(source, note)}\n`);
  if (spec.nameservers !== undefined) {
    const names = spec.nameservers.join(', ');
    cli.terminal.error(
      `Note: the name servers stay ${names}; remove spec.nameservers to serve from the cluster's own\n`,
    );
  }
  const object = declared(spec, options.name ?? spec.origin.replaceAll('.', '-'), cli);
  if (options.output === 'yaml') cli.terminal.out(renderYaml(checked(await object)));
  else await applyZone(checked(await object), options, cli);
}

/** As compilers say it, so that editors can jump there. */
function told(source: string, { line, column, message }: ZoneFileMessage): string {
  return `${source}:${line}:${column}: ${message}`;
}

interface DeclaredZone extends DeclaredObject {
  readonly spec: ZoneFileSpec;
}

async function declared(spec: ZoneFileSpec, name: string, cli: Cli): Promise<DeclaredZone> {
  const problem = objectNameProblem(name);
  if (problem !== undefined) throw new CommandError(`error: --name "${name}" ${problem}`);
  // A config is not needed to print a manifest, so its absence is no failure here.
  const namespace = await cli.namespace().catch(() => 'default');
  return { apiVersion: API_VERSION, kind: 'Zone', metadata: { name, namespace }, spec };
}

/** The file was right line by line; as a whole it may still be too large. */
function checked(object: DeclaredZone): DeclaredZone {
  const validation = validateObject(object);
  if (validation.kind === 'valid') return object;
  const problems = validation.violations.map(({ path, message }) => `${path} ${message}`.trim());
  const head = `error: Zone "${object.metadata.name}" is invalid:`;
  throw new CommandError([head, ...problems].join('\n  '));
}

async function applyZone(imported: DeclaredZone, options: ImportOptions, cli: Cli): Promise<void> {
  const api = await cli.api();
  const { name, namespace = 'default' } = imported.metadata;
  const before = (await findObject(api, { kind: 'Zone', namespace, name })) as Zone | undefined;
  if (before !== undefined && before.spec.origin !== imported.spec.origin) {
    const fact = `Zone "${name}" is of ${before.spec.origin}, and the file of ${imported.spec.origin}`;
    throw new CommandError(`error: ${fact}; give another --name`);
  }
  // What a zone file does not speak of stays as it was.
  const { nameservers: _, ...kept } = before?.spec ?? imported.spec;
  const object = { ...imported, spec: { ...kept, ...imported.spec } };
  const dryRun = options.dryRun === true;
  const applied = await api.apply(object, { manager: MANAGER, forceConflicts: false, dryRun });
  for (const warning of applied.warnings) cli.terminal.error(`Warning: ${warning}\n`);
  const how = dryRun ? ' (server dry run)' : '';
  cli.terminal.out(`${qualifiedName(object)} ${applied.outcome}${how}\n`);
}

async function exportZone(name: string, cli: Cli): Promise<void> {
  const api = await cli.api();
  const reference = { kind: 'Zone', namespace: await cli.namespace(), name };
  const zone = (await fetchObject(api, reference)) as Zone;
  const { text, warnings } = await zoneFileOf(zone, api);
  for (const warning of warnings) cli.terminal.error(`Warning: ${warning}\n`);
  cli.terminal.out(text);
}
