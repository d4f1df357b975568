import { Command, CommanderError } from 'commander';
import type { Api } from '../runtime/api-client.ts';
import type { ClientConfig } from '../runtime/client-config.ts';
import { type Cli, CommandError, errorText, type Ports, type Settings } from './cli.ts';
import { commands } from './commands.ts';
import { durationMsOf } from './flags.ts';
import { runPlugin } from './plugin.ts';
import { takeVerbosity, VERBOSITY } from './verbosity.ts';

/** As a shell reports a process that SIGINT ended. */
export const EXIT_INTERRUPTED = 130;

const REQUEST_TIMEOUT_MS = 30_000;
/** How long a completion may wait for dom: a prompt must not hang. */
export const COMPLETION_TIMEOUT_MS = 2_000;

/** Runs one command line (without "node" and the script); resolves to the exit code. */
export async function run(given: readonly string[], ports: Ports): Promise<number> {
  const program = globalOptions();
  const completes = given[0] === '__complete';
  const { words, verbosity } = completes ? { words: given, verbosity: 0 } : takeVerbosity(given);
  const patienceMs = completes ? COMPLETION_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
  const cli = createCli(ports, words, () => ({
    ...settingsOf(program, ports, patienceMs),
    verbosity,
  }));
  try {
    const plugged =
      completes || isKnown(words[0]) ? undefined : await runPlugin(given, ports.plugins);
    if (plugged !== undefined) return plugged;
    if (completes) await printCandidates(program, cli, words.slice(1));
    else await execute(program, cli, words);
    return 0;
  } catch (error) {
    return report(error, cli);
  } finally {
    cli.close();
  }
}

/** "List objects." of "list objects". */
export function sentenceOf(summary: string): string {
  return `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`;
}

/** Whether it is a command or a flag of ours: plugins never take their place. */
function isKnown(word: string | undefined): boolean {
  if (word === undefined || word === 'help' || word.startsWith('-')) return true;
  return commands.some(({ name }) => name === word);
}

/** The first word that is neither a global flag nor the value of one; for `help X`, it is X. */
export function commandName(words: readonly string[]): string | undefined {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (FLAGS_WITH_VALUE.has(word)) index += 1;
    else if (word !== 'help' && !word.startsWith('-')) return word;
  }
  return undefined;
}

const FLAGS_WITH_VALUE: ReadonlySet<string> = new Set([
  '--config',
  '--context',
  '-n',
  '--namespace',
  '--request-timeout',
]);

/** b8sctl itself, with the flags that every command takes. */
export function globalOptions(): Command {
  return (
    new Command('b8sctl')
      .description('Declares and asks about the sites, zones and machines of a b8s cluster.')
      .usage('COMMAND [flags]')
      .option(
        '--config <path>',
        'file with clusters and users (default: those of $B8SCONFIG, parted by colons, or ~/.b8s/config)',
      )
      .option('--context <name>', 'context of the config to use, instead of its current one')
      .option('-n, --namespace <name>', 'namespace to work in')
      .option(
        '--request-timeout <duration>',
        'longest wait for one answer, 0: for ever',
        durationMsOf,
      )
      // Taken out of the words before they are parsed; here for the help and completion.
      .option(
        '-v, --verbose [level]',
        'tell more: 1 the causes of errors, 6 every request, 8 with what is sent, 9 all of it',
      )
      .helpOption('-h, --help', 'show help')
      .helpCommand('help [command]', 'show help for a command')
      .showSuggestionAfterError(true)
      .showHelpAfterError('See b8sctl --help.')
      .configureHelp({ helpWidth: 100, showGlobalOptions: false })
      .addHelpText('afterAll', ({ command }) => (command.parent === null ? '' : GLOBAL_FLAGS_HINT))
      .exitOverride()
  );
}

const GLOBAL_FLAGS_HINT = `
Every command takes --config, --context, -n, --request-timeout and -v too: see b8sctl --help.`;

async function execute(program: Command, cli: Cli, words: readonly string[]): Promise<void> {
  await register(program, cli, words);
  // A bare "b8sctl" asks for help and gets it, as data and without an error.
  await program.parseAsync(words.length === 0 ? ['--help'] : words, { from: 'user' });
}

/** For the scripts of `completion`: the words are unfinished, so no command may parse them. */
async function printCandidates(
  program: Command,
  cli: Cli,
  words: readonly string[],
): Promise<void> {
  await register(program, cli, words);
  program.parseOptions([...words]);
  const { complete } = await import('./complete.ts');
  const candidates = await complete(words, program, cli);
  cli.terminal.out(candidates.map((candidate) => `${candidate}\n`).join(''));
}

/** Only the command that is meant gets loaded; the others are names and summaries for the help. */
async function register(program: Command, cli: Cli, words: readonly string[]): Promise<void> {
  const { terminal } = cli;
  program.configureOutput({
    writeOut: (text) => terminal.out(text),
    writeErr: (text) => terminal.error(text),
    getOutHelpWidth: () => terminal.columns,
    getErrHelpWidth: () => terminal.columns,
  });
  const wanted = commandName(words);
  for (const { name, summary, group, load } of commands) {
    const command = program
      .command(name)
      .summary(summary)
      .description(sentenceOf(summary))
      .helpGroup(`${group}:`)
      .showHelpAfterError(`See b8sctl ${name} --help.`);
    if (name === wanted) (await load())(command, cli);
  }
}

function settingsOf(
  program: Command,
  ports: Ports,
  patienceMs: number,
): Omit<Settings, 'verbosity'> {
  const flags = program.opts<{
    config?: string;
    context?: string;
    namespace?: string;
    requestTimeout?: number;
  }>();
  return {
    configPath: flags.config ?? ports.configPath,
    context: flags.context ?? '',
    namespace: flags.namespace ?? '',
    requestTimeoutMs: flags.requestTimeout ?? patienceMs,
  };
}

interface ClosableCli extends Cli {
  close(): void;
}

function createCli(ports: Ports, words: readonly string[], settings: () => Settings): ClosableCli {
  let config: Promise<ClientConfig> | undefined;
  let api: Promise<Api> | undefined;
  const cli: ClosableCli = {
    ...ports,
    settings,
    config() {
      config ??= readConfig(cli);
      return config;
    },
    api() {
      api ??= connect(cli, ['b8sctl', ...words].join(' '));
      return api;
    },
    async namespace() {
      if (settings().namespace !== '') return settings().namespace;
      const { contexts, currentContext } = await cli.config();
      const name = settings().context === '' ? currentContext : settings().context;
      return contexts.find((each) => each.name === name)?.context.namespace ?? 'default';
    },
    close() {
      api?.then(
        (opened) => opened.close(),
        () => undefined,
      );
    },
  };
  return cli;
}

async function readConfig(cli: Cli): Promise<ClientConfig> {
  const { readConfigFiles } = await import('./config-files.ts');
  const { mergeConfigs } = await import('../runtime/client-config.ts');
  return mergeConfigs((await readConfigFiles(cli)).map(({ config }) => config));
}

async function connect(cli: Cli, command: string): Promise<Api> {
  const { context, requestTimeoutMs, verbosity } = cli.settings();
  const { connectionOf } = await import('../runtime/client-config.ts');
  const connection = connectionOf(await cli.config(), context);
  const api = await cli.connect(connection, { requestTimeoutMs, command });
  if (verbosity < VERBOSITY.requests) return api;
  return (await import('./trace.ts')).traced(api, { ...cli, verbosity });
}

function report(error: unknown, cli: Cli): number {
  // Commander has said already what it had to say.
  if (error instanceof CommanderError) return error.exitCode;
  if (cli.signal.aborted) {
    // The terminal has put "^C" there; the prompt that follows begins a line.
    if (cli.terminal.errorIsTerminal) cli.terminal.error('\n');
    return EXIT_INTERRUPTED;
  }
  const text = errorText(error);
  if (text !== '') cli.terminal.error(`${text}\n`);
  if (cli.settings().verbosity >= VERBOSITY.causes && error instanceof Error)
    cli.terminal.error(`${error.stack ?? ''}\n`);
  return error instanceof CommandError ? error.exitCode : 1;
}
