import type { Command } from 'commander';
import { formatDuration } from '../../api/duration.ts';
import type { Cli } from '../cli.ts';
import { CommandError } from '../cli.ts';
import { fitOf, renderTable } from '../render/table.ts';

interface CreateOptions {
  readonly algorithm: string;
  readonly secretFile?: string;
}

/** `transfer-key create|list|delete` */
export function registerTransferKey(command: Command, cli: Cli): void {
  command
    .command('create')
    .description('Make a key that secondaries of zones sign with (TSIG, RFC 8945).')
    .argument('<name>', 'what the key is called, here and at the secondary')
    .option('--algorithm <name>', 'hmac-sha256, hmac-sha384 or hmac-sha512', 'hmac-sha256')
    .option('--secret-file <file>', 'the secret in base64, if you have one; - for stdin')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: CreateOptions) => {
      await createKey(name, options, cli);
    });
  command
    .command('list')
    .description('List the keys; never their secrets.')
    .action(async () => {
      await listKeys(cli);
    });
  command
    .command('delete')
    .description('Delete keys that no zone names any more.')
    .argument('<names...>', 'keys by name')
    .action(async (names: readonly string[]) => {
      const api = await cli.api();
      for (const name of names) {
        await api.deleteTransferKey(name);
        cli.terminal.out(`transfer key ${name} deleted\n`);
      }
    });
}

const EXAMPLES = `
A secret that is made here is shown once and can never be read back. It goes to stdout, as BIND and
others take it; all else to stderr.

Examples:
  b8sctl transfer-key create ns-example > ns-example.key
  b8sctl transfer-key create ns-example --secret-file secret.b64
  # then, in the Zone:  spec.secondaries: [{ address: 192.0.2.53, key: ns-example }]`;

async function createKey(
  name: string,
  { algorithm, secretFile }: CreateOptions,
  cli: Cli,
): Promise<void> {
  const given = secretFile === undefined ? undefined : await readSecret(secretFile, cli);
  const api = await cli.api();
  const made = await api.createTransferKey({ name, algorithm, secret: given ?? new Uint8Array() });
  const { terminal } = cli;
  if (given !== undefined) {
    terminal.out(`transfer key ${name} created\n`);
    return;
  }
  terminal.error('Give this to the secondary; it is not shown again:\n');
  const secret = Buffer.from(made).toString('base64');
  terminal.out(`key "${name}" {\n  algorithm ${algorithm};\n  secret "${secret}";\n};\n`);
}

async function readSecret(file: string, { files }: Cli): Promise<Uint8Array> {
  const whole = file === '-' ? await files.readStandardInput() : await files.readText(file);
  if (whole === undefined) throw new CommandError(`error: there is no file ${file}`);
  const text = whole.trim();
  // What is no base64 is left out when it is decoded: that would be another secret.
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0;
  if (!isBase64) throw new CommandError(`error: ${file} does not hold a secret in base64`);
  return Buffer.from(text, 'base64');
}

async function listKeys(cli: Cli): Promise<void> {
  const keys = await (await cli.api()).listTransferKeys();
  if (keys.length === 0) {
    cli.terminal.error('No transfer keys found\n');
    return;
  }
  const nowMs = cli.clock.nowMs();
  const rows = keys.map(({ name, algorithm, createdMs, createdBy }) => [
    name,
    algorithm,
    formatDuration(Math.max(0, nowMs - createdMs)),
    createdBy,
  ]);
  const header = ['NAME', 'ALGORITHM', 'AGE', 'CREATED-BY'];
  cli.terminal.out(renderTable(rows, { header, ...fitOf(cli.terminal) }));
}
