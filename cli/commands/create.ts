import type { Command } from 'commander';
import { API_VERSION } from '../../api/object.ts';
import { type Cli, CommandError, MANAGER } from '../cli.ts';

interface SecretOptions {
  readonly fromFile?: readonly string[];
  readonly fromLiteral?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** `create secret generic NAME`, `create secret tls NAME` */
export function registerCreate(command: Command, cli: Cli): void {
  const secret = command.command('secret').description('Make a Secret of files or texts.');
  secret
    .command('generic')
    .description('A Secret of any values.')
    .argument('<name>', 'what it is called')
    .option('--from-file <key=path>', 'a value out of a file; - for stdin (repeatable)', collect)
    .option('--from-literal <key=text>', 'a value as it stands here (repeatable)', collect)
    .addHelpText('after', GENERIC_EXAMPLES)
    .action(async (name: string, options: SecretOptions) => {
      await createSecret(name, await genericData(options, cli), cli);
    });
  secret
    .command('tls')
    .description('A Secret with a certificate chain and its key, for a Certificate to use.')
    .argument('<name>', 'what it is called')
    .requiredOption('--cert <file>', 'the chain, PEM, leaf first')
    .requiredOption('--key <file>', 'the private key, PEM')
    .addHelpText('after', TLS_EXAMPLES)
    .action(async (name: string, { cert = '', key = '' }: SecretOptions) => {
      const data = { 'tls.crt': await readValue(cert, cli), 'tls.key': await readValue(key, cli) };
      await createSecret(name, data, cli);
    });
}

const GENERIC_EXAMPLES = `
Values on a command line can be seen by others on this machine; files cannot.

Examples:
  b8sctl create secret generic zerossl --from-file=mac-key=./mac-key.txt`;

const TLS_EXAMPLES = `
Examples:
  b8sctl create secret tls shop-2027 --cert fullchain.pem --key privkey.pem
  # then, in the Certificate:  spec.secret: shop-2027`;

/** What is there already under this name is replaced, so that a new chain takes the same words. */
async function createSecret(
  name: string,
  data: Readonly<Record<string, string>>,
  cli: Cli,
): Promise<void> {
  const namespace = await cli.namespace();
  const object = {
    apiVersion: API_VERSION,
    kind: 'Secret',
    metadata: { name, namespace },
    spec: { data },
  };
  const { outcome } = await (await cli.api()).apply(object, { manager: MANAGER });
  cli.terminal.out(`secret.b8s.dev/${name} ${outcome}\n`);
}

async function genericData(
  { fromFile = [], fromLiteral = [] }: SecretOptions,
  cli: Cli,
): Promise<Readonly<Record<string, string>>> {
  const data: Record<string, string> = {};
  const add = (key: string, value: string): void => {
    if (Object.hasOwn(data, key)) throw new CommandError(`error: "${key}" is given twice`);
    data[key] = value;
  };
  for (const each of fromFile) {
    const [key, path] = parted(each, '--from-file key=path');
    add(key, await readValue(path, cli));
  }
  for (const each of fromLiteral) add(...parted(each, '--from-literal key=text'));
  if (Object.keys(data).length > 0) return data;
  throw new CommandError(
    'error: a Secret needs a value: --from-file key=path or --from-literal key=text',
  );
}

function parted(text: string, usage: string): [key: string, rest: string] {
  const cut = text.indexOf('=');
  if (cut > 0) return [text.slice(0, cut), text.slice(cut + 1)];
  throw new CommandError(`error: "${text}": write ${usage}`);
}

async function readValue(path: string, { files }: Cli): Promise<string> {
  const text = path === '-' ? await files.readStandardInput() : await files.readText(path);
  if (text === undefined) throw new CommandError(`error: there is no file ${path}`);
  return text;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
