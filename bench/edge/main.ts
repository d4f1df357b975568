import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../runtime/node/clock.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';
import { type Contest, chosenServers, contest } from '../contest.ts';
import { percentile, whole } from '../figures.ts';
import { readOptions } from '../options.ts';
import { installPackages } from '../packages.ts';
import { latency, load } from './load.ts';
import { SERVER_NAMES, type ServerName } from './recipes.ts';
import { ROWS, type Row } from './rows.ts';
import { ask, type Server, startServer } from './servers.ts';
import { FILES, manyPath, writeSite } from './site.ts';

/** See docs/performance.md. Beside it: handshakes.ts (what looking for CAs costs). */
const USAGE = `node bench/edge/main.ts [OPTION …]: the same site served by each over TLS, pinned to one core,
wrk and h2load on the other, rounds interleaved.

  --servers ${SERVER_NAMES.join(',')}   those to compare (all)
  --rows TEXT                 those rows whose names have this in them (all); "latency": p50, p99
                              and memory alone. There are:
${ROWS.map(({ name }) => `                              ${name}`).join('\n')}
  --seconds N                 for each server in each round (1)
  --rounds N                  medians are of so many (1)
  --full                      3 rounds of 3 seconds
  --help                      this text`;
const values = readOptions(USAGE, {
  full: { type: 'boolean', default: false },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  servers: { type: 'string', default: SERVER_NAMES.join(',') },
  rows: { type: 'string', default: '' },
});
const FIRST_PORT = 15_440;
const HOUR_MS = 60 * 60 * 1000;

interface Measured {
  readonly perSecond: number;
  /** The server's CPU time for one, microseconds; what other work on its core leaves alone. */
  readonly cpuUs: number;
}

const seconds = Number(values.seconds ?? (values.full ? '3' : '1'));
const rounds = Number(values.rounds ?? (values.full ? '3' : '1'));
const servers = chosenServers(values.servers, SERVER_NAMES);
const rows = ROWS.filter(({ name }) => name.includes(values.rows));
await installPackages(
  [
    { name: 'wrk', file: '/usr/bin/wrk' },
    { name: 'nghttp2-client', file: '/usr/bin/h2load' },
    { name: 'nginx-light', file: '/usr/sbin/nginx' },
    { name: 'caddy', file: '/usr/bin/caddy' },
  ].filter(
    ({ name }) =>
      !['nginx-light', 'caddy'].includes(name) || servers.some((each) => name.startsWith(each)),
  ),
);
await contest<Server>(measureAll);

async function measureAll(given: Contest<Server>): Promise<void> {
  const { folder, signal, started } = given;
  const root = join(folder, 'site');
  await writeSite(root);
  const certificate = await writeCertificate(folder);
  for (const [index, name] of servers.entries()) {
    const setting = { folder, root, port: FIRST_PORT + index, ...certificate, signal };
    started.push(await startServer(name, setting));
  }
  await compareAnswers(started);
  const context = { seconds, folder, signal };
  const measured = new Map<string, Measured[]>();
  // Compilers, caches and allocators get to know what is coming.
  for (const row of rows)
    for (const server of started) await row.run(server, { ...context, seconds: 1 });
  for (let round = 1; round <= rounds; round += 1)
    for (const row of rows) {
      const said: string[] = [];
      for (const server of started) {
        const one = await measure(server, () => row.run(server, context));
        const key = `${row.name} ${server.name}`;
        measured.set(key, [...(measured.get(key) ?? []), one]);
        said.push(`${server.name} ${whole(one.perSecond)}/s ${one.cpuUs.toFixed(1)} us`);
      }
      console.log(`round ${round} ${row.name}: ${said.join(', ')}`);
    }
  if (rows.length > 0) printTable(measured);
  if (['', 'latency'].includes(values.rows)) await printLatencies(given);
}

/** A server that answers something else would be faster than it ought to be. */
async function compareAnswers(started: readonly Server[]): Promise<void> {
  const wanted = [
    ...Object.values(FILES).map(({ path }) => ({ path, headers: {} })),
    { path: FILES.text.path, headers: { 'accept-encoding': 'gzip' } },
    { path: manyPath(4711), headers: {} },
  ];
  for (const { path, headers } of wanted) {
    const answers = await Promise.all(started.map(({ port }) => ask(port, path, headers)));
    const [first] = answers;
    for (const [index, { status, body, headers: got }] of answers.entries()) {
      const isSame = first !== undefined && body.equals(first.body) && status === 200;
      if (isSame && got['content-encoding'] === first.headers['content-encoding']) continue;
      throw new Error(`${started[index]?.name}: another answer to ${path}: ${status}`);
    }
  }
}

async function measure(
  server: Server,
  run: () => Promise<{ readonly requests: number; readonly perSecond: number }>,
): Promise<Measured> {
  const beforeMs = await server.cpuMs();
  const { requests, perSecond } = await run();
  const cpuUs = (1000 * ((await server.cpuMs()) - beforeMs)) / Math.max(1, requests);
  return { perSecond, cpuUs };
}

/** Medians; ratios are of each round, so that what disturbs a round disturbs both sides. */
function printTable(measured: ReadonlyMap<string, readonly Measured[]>): void {
  const others = servers.filter((name) => name !== 'b8s');
  const ratios = others.flatMap((name) => [`of ${name}`, `by CPU`]);
  const heads = [
    '',
    ...servers.map((name) => `${name}/s`),
    ...servers.map((name) => `${name} CPU`),
  ];
  console.log(`\n| ${[...heads, ...ratios].join(' | ')} |`);
  console.log(`|---|${'---:|'.repeat(heads.length - 1 + ratios.length)}`);
  for (const row of rows) {
    const of = (name: ServerName): readonly Measured[] => measured.get(`${row.name} ${name}`) ?? [];
    const median = (name: ServerName, what: keyof Measured): number =>
      percentile(
        of(name).map((each) => each[what]),
        0.5,
      );
    const cells = [
      ...servers.map((name) => `${whole(median(name, 'perSecond'))}${unitOf(row)}`),
      ...servers.map((name) => `${median(name, 'cpuUs').toFixed(1)} us`),
      ...others.flatMap((name) => [
        ratio(of('b8s').map((each, round) => each.perSecond / (of(name)[round]?.perSecond ?? 0))),
        ratio(of('b8s').map((each, round) => (of(name)[round]?.cpuUs ?? 0) / each.cpuUs)),
      ]),
    ];
    console.log(`| ${row.name} | ${cells.join(' | ')} |`);
  }
}

async function printLatencies({ folder, signal, started }: Contest<Server>): Promise<void> {
  console.log('\n| 1 KiB at half load | p50, p99 over HTTP/1.1 | p50, p99 over HTTP/2 | RSS |');
  console.log('|---|---:|---:|---:|');
  for (const server of started) {
    const cells: string[] = [];
    for (const protocol of ['h1', 'h2'] as const) {
      const shared = {
        port: server.port,
        path: FILES.small.path,
        protocol,
        signal,
      };
      const { perSecond } = await load({ ...shared, seconds });
      const log = join(folder, 'latencies');
      const half = await latency({ ...shared, seconds, perSecond: perSecond / 2, log });
      cells.push(`${half.p50Ms.toFixed(2)} ms, ${half.p99Ms.toFixed(2)} ms`);
    }
    console.log(`| ${[server.name, ...cells, `${whole(await server.rssMb())} MB`].join(' | ')} |`);
  }
}

async function writeCertificate(
  folder: string,
): Promise<{ readonly chain: string; readonly key: string }> {
  const [clock, random] = [systemClock(), systemRandom()];
  const ca = await generateCa({ clock, random, name: 'bench' });
  const authority = await createAuthority({ ...ca, clock, random });
  const request = { names: ['localhost'], keyType: 'ecdsa-p256', lifetimeMs: HOUR_MS } as const;
  const { chainPem, keyPem } = await authority.issueServer(request);
  const paths = { chain: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };
  await writeFile(paths.chain, chainPem);
  await writeFile(paths.key, keyPem, { mode: 0o600 });
  return paths;
}

function unitOf({ unit }: Row): string {
  return unit === 'MB' ? ' MB' : '';
}

function ratio(values: readonly number[]): string {
  return percentile(values, 0.5).toFixed(2);
}
