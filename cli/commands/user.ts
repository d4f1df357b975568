import { type Command, Option } from 'commander';
import { connectionOf, renderConfig, singleConfig } from '../../runtime/client-config.ts';
import type { Cli } from '../cli.ts';
import { countOf } from '../flags.ts';

interface UserOptions {
  readonly role: string;
  readonly days: number;
}

const DAYS = 90;

/** `user create NAME [--role viewer|admin] [--days N]` */
export function registerUser(command: Command, cli: Cli): void {
  command
    .command('create')
    .description('Print a config for another person or program.')
    .argument('<name>', 'how history names them')
    .addOption(
      new Option('--role <role>', 'viewer may look, and see no value of a Secret; admin may do all')
        .choices(['viewer', 'admin'])
        .default('viewer'),
    )
    .option('--days <number>', 'how long it is good; it cannot be taken back', countOf, DAYS)
    .action(async (name: string, options: UserOptions) => {
      await create(name, options, cli);
    });
  command.addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  b8sctl user create ci > ci-config              for pull requests: b8sctl --config ci-config diff …
  b8sctl user create ada --role admin --days 30 > ada-config`;

async function create(name: string, { role, days }: UserOptions, cli: Cli): Promise<void> {
  const api = await cli.api();
  const { certificate, key, expiresMs } = await api.createUser({ name, role, days });
  const { server, caPem } = connectionOf(await cli.config(), cli.settings().context);
  const config = singleConfig(
    `${name}@b8s`,
    { server, certificateAuthorityData: base64(caPem) },
    { clientCertificateData: base64(certificate), clientKeyData: base64(key) },
  );
  cli.terminal.out(renderConfig(config));
  const until = new Date(expiresMs).toISOString();
  cli.terminal.error(`${name} is a ${role} until ${until}; who has this config is ${name}\n`);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
