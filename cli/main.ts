import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock } from '../runtime/node/clock.ts';
import { nodeEditor, nodeFiles } from '../runtime/node/files.ts';
import { nodePlugins } from '../runtime/node/plugins.ts';
import { nodeTerminal } from '../runtime/node/terminal.ts';
import { dockerCredentials } from './content/docker-config.ts';
import { EXIT_INTERRUPTED, run } from './program.ts';

/** How long a command may take to end itself after Ctrl-C. */
const GRACE_MS = 500;

const { env } = process;
const interrupt = new AbortController();

function stop(): void {
  if (interrupt.signal.aborted) leave();
  interrupt.abort(new Error('interrupted'));
  setTimeout(leave, GRACE_MS).unref();
}

/** Before the command has ended itself. A bar may stand there, and "^C". */
function leave(): never {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K\n');
  process.exit(EXIT_INTERRUPTED);
}

process.on('SIGINT', stop);
process.on('SIGTERM', stop);
for (const stream of [process.stdout, process.stderr]) {
  // Whoever read us has seen enough (`| head`): that is no failure.
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? 0 : 1),
  );
}

const exitCode = await run(process.argv.slice(2), {
  terminal: nodeTerminal(),
  files: nodeFiles,
  plugins: nodePlugins(env['PATH'] ?? ''),
  editor: nodeEditor(env['VISUAL'] ?? env['EDITOR'] ?? 'vi'),
  clock: systemClock(),
  signal: interrupt.signal,
  configPath: env['B8SCONFIG'] ?? join(homedir(), '.b8s', 'config'),
  // As the XDG Base Directory Specification has it.
  cacheFolder: join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'b8sctl'),
  async dns() {
    const [{ nodeDnsClient, systemResolvers }, { systemRandom }] = await Promise.all([
      import('../runtime/node/dns/client.ts'),
      import('../runtime/node/random.ts'),
    ]);
    return { client: nodeDnsClient({ random: systemRandom() }), resolvers: systemResolvers() };
  },
  async web() {
    return (await import('../runtime/node/fetcher.ts')).nodeFetcher;
  },
  async registries() {
    const { nodeFetcher } = await import('../runtime/node/fetcher.ts');
    const docker = join(env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
    const credentials = async (registry: string) =>
      dockerCredentials(await nodeFiles.readText(docker), registry);
    return { fetcher: nodeFetcher, credentials };
  },
  async connect(connection, options) {
    const { grpcApi } = await import('../runtime/node/grpc/api.ts');
    return grpcApi(connection, options);
  },
});

// A connection that nobody answers would hold the process for minutes: all is said, so it ends,
// once whoever reads us has it all.
for (const stream of [process.stdout, process.stderr])
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
process.exit(exitCode);
