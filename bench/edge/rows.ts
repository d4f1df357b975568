import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CLIENT_CORE, type LoadOptions, load, loadCold, loadMany, type Outcome } from './load.ts';
import { ask, type Server } from './servers.ts';
import { FILES } from './site.ts';

export interface RowContext {
  readonly seconds: number;
  /** For what the clients write and read. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** One thing that is measured. */
export interface Row {
  readonly name: string;
  readonly unit: 'requests' | 'MB' | 'connections';
  readonly run: (server: Server, context: RowContext) => Promise<Outcome>;
}

const PROTOCOLS = [
  ['HTTP/1.1', 'h1'],
  ['HTTP/2', 'h2'],
] as const;

export const ROWS: readonly Row[] = [
  ...both('1 KiB', 'requests', (options) => load({ ...options, path: FILES.small.path })),
  ...both('100 KiB', 'MB', (options) => inMegabytes({ ...options, path: FILES.medium.path })),
  ...both('10 MiB', 'MB', (options) =>
    inMegabytes({ ...options, path: FILES.large.path, connections: 8 }),
  ),
  ...both('304', 'requests', async (options) => {
    const { headers } = await ask(options.port, FILES.small.path);
    const condition = `If-None-Match: ${headers['etag'] ?? ''}`;
    return load({ ...options, path: FILES.small.path, headers: [condition] });
  }),
  ...both('gzip, 100 KiB', 'requests', (options) =>
    load({ ...options, path: FILES.text.path, headers: ['Accept-Encoding: gzip'] }),
  ),
  ...both('10,000 files of 8 KiB', 'requests', (options, { folder }) => loadMany(options, folder)),
  {
    name: 'cold connections',
    unit: 'connections',
    run: ({ port }, context) => loadCold({ ...context, port, path: FILES.small.path }),
  },
  { name: 'resumed connections', unit: 'connections', run: resume },
];

function both(
  name: string,
  unit: Row['unit'],
  run: (options: LoadOptions, context: RowContext) => Promise<Outcome>,
): readonly Row[] {
  return PROTOCOLS.map(([spoken, protocol]) => ({
    name: `${name}, ${spoken}`,
    unit,
    run: (server, context) => run({ ...context, port: server.port, path: '/', protocol }, context),
  }));
}

/** Answers that are under way when the time is over count as far as they got. */
async function inMegabytes(options: LoadOptions): Promise<Outcome> {
  const { megabytes } = await load(options);
  return { requests: megabytes, perSecond: megabytes / options.seconds, megabytes };
}

async function resume({ port }: Server, { seconds, signal }: RowContext): Promise<Outcome> {
  const script = join(import.meta.dirname, 'resume.ts');
  const args = ['-c', CLIENT_CORE, process.execPath, script, `${port}`, `${seconds}`];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = (): void => void child.kill();
  signal.addEventListener('abort', stop);
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  await once(child, 'close');
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const requests = Number(/(\d+) connections/.exec(said)?.[1] ?? 0);
  return { requests, perSecond: requests / seconds, megabytes: 0 };
}
