import { type Command, Option } from 'commander';
import { formatDuration } from '../../api/duration.ts';
import type { ListedUser } from '../../runtime/api-client.ts';
import { connectionOf, renderConfig, singleConfig } from '../../runtime/client-config.ts';
import { type Cli, CommandError } from '../cli.ts';
import { countOf } from '../flags.ts';
import { fitOf, renderTable } from '../render/table.ts';

type ListFormat = 'wide' | 'json' | 'name';

interface RevokeOptions {
  readonly yes?: true;
  readonly force?: true;
}

interface UserOptions {
  readonly role: string;
  readonly days: number;
}

const DAYS = 90;

/** `user create NAME [--role viewer|admin] [--days N]`, `user list`, `user revoke NAME...` */
export function registerUser(command: Command, cli: Cli): void {
  registerCreate(command, cli);
  command
    .command('list')
    .description('List who has a config, and who lost it; -o wide: each certificate.')
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['wide', 'json', 'name']),
    )
    .action(async ({ output }: { readonly output?: ListFormat }) => {
      await list(output, cli);
    });
  command
    .command('revoke')
    .description('Make every config that a user was given so far useless, within seconds.')
    .argument('<names...>', 'users by name, see b8sctl user list')
    .option('-y, --yes', 'do not ask')
    .option('--force', 'also yourself, and names that no list shows')
    .action(async (names: readonly string[], options: RevokeOptions) => {
      await revoke(names, options, cli);
    });
  command.addHelpText('after', EXAMPLES);
}

function registerCreate(command: Command, cli: Cli): void {
  command
    .command('create')
    .description('Print a config for another person or program.')
    .argument('<name>', 'how history names them')
    .addOption(
      new Option('--role <role>', 'viewer may look, and see no value of a Secret; admin may do all')
        .choices(['viewer', 'admin'])
        .default('viewer'),
    )
    .option('--days <number>', 'how long it is good, at most 365', countOf, DAYS)
    .action(async (name: string, options: UserOptions) => {
      await create(name, options, cli);
    });
}

const EXAMPLES = `
Examples:
  b8sctl user create ci > ci-config              for pull requests: b8sctl --config ci-config diff …
  b8sctl user create ada --role admin --days 30 > ada-config
  b8sctl user list
  b8sctl user revoke ada                         ada's watches end, too; a new config: user create

Revoking a user takes back all configs of that name. That of "admin" in dom's state folder is made
anew when dom starts.`;

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

async function list(format: ListFormat | undefined, cli: Cli): Promise<void> {
  const users = await (await cli.api()).listUsers();
  const { terminal } = cli;
  if (format === 'json') terminal.out(`${JSON.stringify(users, undefined, 2)}\n`);
  else if (format === 'name') for (const { name } of users) terminal.out(`${name}\n`);
  else if (users.length === 0) terminal.error('No users found\n');
  else {
    const nowMs = cli.clock.nowMs();
    const rows = users.flatMap((user) => (format === 'wide' ? wide(user) : [short(user, nowMs)]));
    const header =
      format === 'wide'
        ? ['NAME', 'ROLE', 'STATUS', 'EXPIRES', 'CREATED', 'CREATED-BY', 'SERIAL']
        : ['NAME', 'ROLE', 'STATUS', 'CONFIGS', 'EXPIRES-IN', 'CREATED-BY'];
    // Who asks for more columns gets them whole.
    terminal.out(renderTable(rows, { header, ...(format === 'wide' ? {} : fitOf(terminal)) }));
  }
}

/** One row for a user: what the certificates have together, and the end of the last. */
function short({ name, certificates, revoked }: ListedUser, nowMs: number): readonly string[] {
  const last = certificates.toSorted((a, b) => a.expiresMs - b.expiresMs).at(-1);
  const status =
    last === undefined && revoked !== undefined
      ? `revoked ${formatDuration(Math.max(0, nowMs - revoked.atMs))} ago by ${revoked.by}`
      : 'active';
  return [
    name,
    distinct(certificates.map(({ role }) => role)),
    status,
    String(certificates.length),
    last === undefined ? NOTHING : formatDuration(Math.max(0, last.expiresMs - nowMs)),
    distinct(certificates.map(({ createdBy }) => createdBy)),
  ];
}

/** One for each certificate, and for what was taken back. */
function wide({ name, certificates, revoked }: ListedUser): readonly (readonly string[])[] {
  const good = certificates.map(({ role, serial, createdBy, createdMs, expiresMs }) => [
    ...[name, role, 'active', time(expiresMs), time(createdMs), createdBy, serial],
  ]);
  if (revoked === undefined) return good;
  const before = `revoked ${time(revoked.atMs)} by ${revoked.by}`;
  return [[name, NOTHING, before, NOTHING, NOTHING, NOTHING, 'all before'], ...good];
}

const NOTHING = '<none>';

function distinct(words: readonly string[]): string {
  return words.length === 0 ? NOTHING : [...new Set(words)].toSorted().join(',');
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

async function revoke(
  names: readonly string[],
  { yes, force }: RevokeOptions,
  cli: Cli,
): Promise<void> {
  const api = await cli.api();
  const { user } = await api.serverInfo();
  if (names.includes(user) && force === undefined)
    throw new CommandError(
      `error: you are ${user}: this would lock you out; use another admin's config, or --force`,
    );
  const { terminal } = cli;
  const question = `Every config of ${names.join(', ')} becomes useless. Go on? [y/N] `;
  const isMeant = names.length === 1 || yes === true || force === true || !terminal.canAsk;
  if (!isMeant && !(await terminal.confirm(question)))
    throw new CommandError('Nothing was revoked.');
  for (const name of names) {
    await api.revokeUser(name, { unlisted: force === true });
    terminal.out(`user ${name} revoked\n`);
    if (name === 'admin')
      terminal.error('dom makes a new config of admin in its state folder when it starts\n');
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
