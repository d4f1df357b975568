import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logTail, type Program, program, until } from '../../support/processes.ts';
import { exchangeAll, type Server } from './exchange.ts';
import { questionBytes, RD } from './query.ts';

export const NSD = '/usr/sbin/nsd';
export const KNOT = '/usr/sbin/knotd';

export interface RunningServer extends Server {
  readonly name: string;
  readonly program: Program;
  stop(): Promise<void>;
}

/** Why tests that need these programs cannot run here; undefined: they can. In CI they must. */
export function programsMissing(files: readonly string[]): string | undefined {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length === 0) return undefined;
  const reason = `no ${missing.join(', ')}; make setup installs them on Debian`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

export interface ServerOptions extends Server {
  readonly folder: string;
  readonly zones: readonly { readonly origin: string; readonly text: string }[];
}

/** NSD, with nothing that slows tests down or hides differences. */
export async function startNsd(options: ServerOptions): Promise<RunningServer> {
  const { address, port } = options;
  const folder = folderOf(options, 'nsd');
  const files = writeZones(folder, options.zones);
  const config = join(folder, 'nsd.conf');
  const text = `
server:
  server-count: 1
  ip-address: ${address}@${port}
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  zonelistfile: "${folder}/zone.list"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  pidfile: "${folder}/nsd.pid"
  hide-version: yes
  hide-identity: yes
  rrl-ratelimit: 0
  minimal-responses: yes
  verbosity: 2
remote-control:
  control-enable: no
${files.map(({ origin, file }) => `zone:\n  name: "${origin}"\n  zonefile: "${file}"`).join('\n')}
`;
  writeFileSync(config, text);
  return startServer({ name: 'nsd', command: NSD, args: ['-d', '-c', config], ...options });
}

export async function startKnot(options: ServerOptions): Promise<RunningServer> {
  const { address, port } = options;
  const folder = folderOf(options, 'knot');
  const files = writeZones(folder, options.zones);
  const config = join(folder, 'knot.conf');
  const text = `
server:
  rundir: "${folder}"
  listen: ${address}@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "${folder}/db"
log:
  - target: stderr
    any: info
zone:
${files.map(({ origin, file }) => `  - domain: "${origin}"\n    file: "${file}"`).join('\n')}
`;
  writeFileSync(config, text);
  return startServer({ name: 'knot', command: KNOT, args: ['-c', config], ...options });
}

const programs = new Set<Program>();

/** Ends all that were started here, also those that others failed beside. */
export async function stopServers(): Promise<void> {
  const all = [...programs];
  programs.clear();
  await Promise.all(all.map((each) => each.stop()));
}

/** Starts a server and waits until it answers for the first of its zones. */
export async function startServer(
  options: ServerOptions & {
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
  },
): Promise<RunningServer> {
  const { name, address, port, folder, zones } = options;
  const logFile = join(folder, `${name}.log`);
  const started = program({ name, command: options.command, args: options.args, logFile });
  programs.add(started);
  started.start();
  const bytes = questionBytes(zones[0]?.origin ?? '', 'SOA', { flags: RD });
  const answers = async (): Promise<boolean> => {
    const [reply] = await exchangeAll({ address, port }, [{ bytes, transport: 'udp' }]);
    return reply !== undefined && (reply.readUInt16BE(2) & 0xf) === 0;
  };
  try {
    await until(`${name} answers`, answers, { timeoutMs: 20_000 });
  } catch (cause) {
    await started.stop();
    throw new Error(`${name} did not start; its log ends:\n${logTail(logFile)}`, { cause });
  }
  const stop = async (): Promise<void> => {
    await started.stop();
  };
  return { name, address, port, program: started, stop };
}

function folderOf({ folder }: ServerOptions, name: string): string {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return own;
}

function writeZones(
  folder: string,
  zones: ServerOptions['zones'],
): readonly { readonly origin: string; readonly file: string }[] {
  return zones.map(({ origin, text }) => {
    const file = join(folder, `${origin}.zone`);
    writeFileSync(file, text);
    return { origin, file };
  });
}
