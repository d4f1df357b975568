import { Command, CommanderError } from 'commander';
import { type Cli, CommandError, errorText } from '../../cli/cli.ts';
import { registerApply } from '../../cli/commands/apply.ts';
import { registerCordon, registerUncordon } from '../../cli/commands/cordon.ts';
import { registerDelete } from '../../cli/commands/delete.ts';
import { registerDns } from '../../cli/commands/dns.ts';
import { registerDrain } from '../../cli/commands/drain.ts';
import { registerPush } from '../../cli/commands/push.ts';
import { registerRollout } from '../../cli/commands/rollout.ts';
import type { Api } from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { FileEntry, Files } from '../../runtime/disk/files.ts';

/** What a command said. */
export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface B8sctlPorts {
  readonly clock: Clock;
  readonly api: Api;
  /** Standard input. */
  readonly input: string;
  /** Files by path, relative to where the command is run. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * The commands that change a cluster, and those that tell why it answers what it answers. The program
 * itself loads each only when it is asked for, which takes real time; here all are there from the start.
 */
const COMMANDS: Readonly<Record<string, (command: Command, cli: Cli) => void>> = {
  apply: registerApply,
  cordon: registerCordon,
  uncordon: registerUncordon,
  delete: registerDelete,
  dns: registerDns,
  drain: registerDrain,
  push: registerPush,
  rollout: registerRollout,
};

/** Runs a command of b8sctl in this process, with simulated ports. */
export async function simulatedB8sctl(words: readonly string[], ports: B8sctlPorts): Promise<Said> {
  const said = { stdout: '', stderr: '' };
  const cli = cliOf(said, ports);
  const program = new Command('b8sctl').exitOverride().configureOutput({
    writeOut: cli.terminal.out,
    writeErr: cli.terminal.error,
  });
  for (const [name, register] of Object.entries(COMMANDS)) register(program.command(name), cli);
  try {
    await program.parseAsync(words, { from: 'user' });
    return { ...said, exitCode: 0 };
  } catch (error) {
    if (!(error instanceof CommanderError)) cli.terminal.error(`${errorText(error)}\n`);
    const isKnown = error instanceof CommandError || error instanceof CommanderError;
    return { ...said, exitCode: isKnown ? error.exitCode : 1 };
  }
}

function cliOf(said: { stdout: string; stderr: string }, ports: B8sctlPorts): Cli {
  return {
    terminal: {
      out: (text) => void (said.stdout += text),
      error: (text) => void (said.stderr += text),
      ...{ outIsTerminal: false, errorIsTerminal: false, canAsk: false, columns: 100 },
      colour: false,
      confirm: async () => false,
    },
    files: memoryFiles(ports),
    editor: { edit: async (text) => text },
    plugins: { find: async () => undefined, list: async () => [], run: async () => 127 },
    clock: ports.clock,
    signal: new AbortController().signal,
    cacheFolder: undefined,
    configPath: '',
    web: () => Promise.reject(new Error('nothing asks the web here')),
    registries: () => Promise.reject(new Error('no registry is there')),
    connect: async () => ports.api,
    dns: () => Promise.reject(new Error('no simulated machine asks the Internet')),
    settings: () => ({
      ...{ configPath: '', context: '', namespace: '', requestTimeoutMs: 0, verbosity: 0 },
    }),
    config: () => Promise.reject(new Error('there is no config in a simulated world')),
    api: async () => ports.api,
    namespace: async () => 'default',
  };
}

function memoryFiles({ files, input }: B8sctlPorts): Files {
  const under = (folder: string): readonly string[] =>
    [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
  return {
    readText: async (path) => {
      const bytes = files.get(path);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    },
    writeText: () => Promise.reject(new Error('nothing is written in a scenario')),
    kind: async (path) => {
      if (files.has(path)) return 'file';
      return under(path).length > 0 ? 'folder' : undefined;
    },
    list: async (folder) => {
      const entries = new Map<string, FileEntry>();
      for (const path of under(folder)) {
        const [name = '', ...rest] = path.slice(folder.length + 1).split('/');
        const kind = rest.length > 0 ? 'folder' : 'file';
        const sizeBytes = kind === 'file' ? (files.get(path)?.length ?? 0) : 0;
        entries.set(name, { name, kind, sizeBytes });
      }
      return [...entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    stamp: async () => undefined,
    realPath: async (path) => path,
    async *stream(path) {
      const bytes = files.get(path);
      if (bytes === undefined) throw new Error(`${path}: no such file`);
      yield bytes;
    },
    readStandardInput: async () => input,
  };
}
