import { type Command, Option } from 'commander';
import { didYouMean } from '../../api/nearest.ts';
import type { ServerInfo } from '../../runtime/api-client.ts';
import { type Cli, CommandError } from '../cli.ts';
import { kindNamed } from '../objects/targets.ts';
import { fitOf, renderTable } from '../render/table.ts';

/** `auth whoami`, `auth can-i VERB TYPE` */
export function registerAuth(command: Command, cli: Cli): void {
  command
    .command('whoami')
    .description('Tell who you are to dom.')
    .addOption(new Option('-o, --output <format>', 'for scripts').choices(['json']))
    .action(async ({ output }: { readonly output?: 'json' }) => {
      const { user, role, permissions } = await who(cli);
      const rows = [
        ['User', user],
        ['Role', role],
        ['May', permissions.join(', ')],
      ];
      const asJson = `${JSON.stringify({ user, role, permissions })}\n`;
      const header = ['ATTRIBUTE', 'VALUE'];
      cli.terminal.out(
        output === 'json' ? asJson : renderTable(rows, { header, ...fitOf(cli.terminal) }),
      );
    });
  command
    .command('can-i')
    .description('Tell whether you may do something: yes, or no with exit code 1.')
    .argument('[verb]', `one of ${[...VERBS.keys()].join(', ')}`)
    .argument('[type]', 'a kind, or TYPE/NAME')
    .option('-q, --quiet', 'only the exit code')
    .option('--list', 'each verb, and whether you may')
    .addHelpText('after', EXAMPLES)
    .action(async (verb: string | undefined, type: string | undefined, options: CanIOptions) => {
      if (options.list === true) await listVerbs(cli);
      else if (verb === undefined)
        throw new CommandError('error: say what: a verb and a kind, or --list');
      else await canI({ verb, type, isQuiet: options.quiet === true }, cli);
    });
}

interface CanIOptions {
  readonly quiet?: true;
  readonly list?: true;
}

const EXAMPLES = `
Examples:
  b8sctl auth can-i delete sites
  b8sctl auth can-i get nodes && echo I may look
  b8sctl auth can-i --list`;

/** What each verb needs. A role is of the whole cluster, so the kind makes no difference yet. */
const VERBS: ReadonlyMap<string, string> = new Map([
  ...['get', 'list', 'watch', 'history'].map((verb) => [verb, 'read'] as const),
  ...['apply', 'create', 'update', 'patch', 'delete'].map((verb) => [verb, 'write'] as const),
]);

async function listVerbs(cli: Cli): Promise<void> {
  const { permissions } = await who(cli);
  const rows = [...VERBS].map(([verb, permission]) => [
    verb,
    'all kinds, in all namespaces',
    permissions.includes(permission) ? 'yes' : 'no',
  ]);
  const header = ['VERB', 'RESOURCES', 'ALLOWED'];
  cli.terminal.out(renderTable(rows, { header, ...fitOf(cli.terminal) }));
}

async function canI(
  asked: { readonly verb: string; readonly type: string | undefined; readonly isQuiet: boolean },
  cli: Cli,
): Promise<void> {
  const { verb, type, isQuiet } = asked;
  const permission = VERBS.get(verb);
  if (permission === undefined) {
    const known = [...VERBS.keys()];
    const hint = didYouMean(verb, known) || `; there are ${known.join(', ')}`;
    throw new CommandError(`error: there is no verb "${verb}"${hint}`);
  }
  if (type !== undefined) kindNamed(type.split('/')[0] ?? '');
  const { permissions } = await who(cli);
  const isAllowed = permissions.includes(permission);
  if (!isQuiet) cli.terminal.out(isAllowed ? 'yes\n' : 'no\n');
  if (!isAllowed) throw new CommandError('');
}

async function who(cli: Cli): Promise<ServerInfo> {
  const info = await (await cli.api()).serverInfo();
  if (info.user !== '') return info;
  throw new CommandError(`error: this dom (${info.version}) is too old to say who you are to it`);
}
