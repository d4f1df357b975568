import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/processes.ts';
import type { Server } from './exchange.ts';
import { exchangeAll } from './exchange.ts';
import { KNOT, type RunningServer, startServer } from './programs.ts';
import { type OptParts, optBytes, questionBytes, RD } from './query.ts';
import { decodeMessage, type Message } from './wire.ts';

export const UNBOUND = '/usr/sbin/unbound';
const AD = 0x0020;

export interface ResolverOptions extends Server {
  readonly name: string;
  readonly folder: string;
  readonly rootHint: string;
  /** DS records that are trusted without asking anybody. */
  readonly anchors: readonly string[];
  /** Clients' subnets are handed on (RFC 7871). */
  readonly clientSubnets?: 'forwarded';
  /** Zones that are asked for at other places than their parents say. */
  readonly stubs?: readonly { readonly zone: string; readonly server: Server }[];
}

/** A validating resolver as strict as unbound can be: minimised names, random letter case. */
export async function startUnbound(options: ResolverOptions): Promise<RunningServer> {
  const { name, address, port, rootHint } = options;
  const folder = join(options.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'root.hints'), `. 3600 NS a.root.\na.root. 3600 A ${rootHint}\n`);
  const forwards = options.clientSubnets === 'forwarded';
  const stubs = (options.stubs ?? []).map(
    ({ zone, server }) =>
      `stub-zone:\n  name: "${zone}"\n  stub-addr: ${server.address}@${server.port}\n`,
  );
  const config = join(folder, 'unbound.conf');
  const text = `
server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 2
  val-log-level: 2
  num-threads: 1
  interface: ${address}
  port: ${port}
  outgoing-interface: ${address}
  do-ip6: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  root-hints: "root.hints"
  module-config: "${forwards ? 'subnetcache ' : ''}validator iterator"
  ${forwards ? 'client-subnet-always-forward: yes' : ''}
  qname-minimisation: yes
  qname-minimisation-strict: yes
  use-caps-for-id: yes
  harden-below-nxdomain: yes
  harden-referral-path: yes
  aggressive-nsec: yes
  cache-max-negative-ttl: 5
${options.anchors.map((anchor) => `  trust-anchor: "${anchor}"`).join('\n')}
remote-control:
  control-enable: no
${stubs.join('')}`;
  writeFileSync(config, text);
  return startServer({
    ...{ name, folder: options.folder, address, port, zones: [{ origin: '', text: '' }] },
    ...{ command: UNBOUND, args: ['-d', '-c', config] },
  });
}

/** Knot that signs its zones with keys of its own: a registry. */
export async function startSigningKnot(
  options: Server & { readonly folder: string; readonly origin: string; readonly text: string },
): Promise<RunningServer & { readonly ds: string }> {
  const { address, port, origin } = options;
  const folder = join(options.folder, 'registry');
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(folder, 'db'), { recursive: true });
  writeFileSync(join(folder, 'zone'), options.text);
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
policy:
  - id: registry
    algorithm: ecdsap256sha256
    single-type-signing: on
zone:
  - domain: "${origin}"
    file: "${folder}/zone"
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
    dnssec-signing: on
    dnssec-policy: registry
`;
  writeFileSync(config, text);
  const zones = [{ origin, text: '' }];
  const server = await startServer({
    ...{ name: 'registry', folder: options.folder, address, port, zones },
    ...{ command: KNOT, args: ['-c', config] },
  });
  const listed = await run('/usr/sbin/keymgr', ['-c', config, origin, 'ds']);
  const ds = listed.stdout.split('\n').find((line) => / 13 2 /.test(line));
  if (ds === undefined) {
    await server.stop();
    throw new Error(`keymgr told no DS of ${origin}: ${listed.stdout}${listed.stderr}`);
  }
  return { ...server, ds };
}

/** What a resolver says to a stub that wants to know whether it was validated. */
export async function resolveName(
  resolver: Server,
  question: { readonly name: string; readonly type: string },
  { transport = 'udp', ...opt }: OptParts & { readonly transport?: 'udp' | 'tcp' } = {},
): Promise<Message> {
  const bytes = questionBytes(question.name, question.type, {
    flags: RD | AD,
    edns: optBytes(opt),
  });
  const [reply] = await exchangeAll(resolver, [{ bytes, transport }]);
  if (reply === undefined) throw new Error(`no answer about ${question.name} ${question.type}`);
  return decodeMessage(reply);
}

/** RFC 7871 §6, with 24 bits of an IPv4 address. */
export function subnetOption(address: string): { readonly code: number; readonly data: Buffer } {
  const bytes = address.split('.').slice(0, 3).map(Number);
  return { code: 8, data: Buffer.of(0, 1, 24, 0, ...bytes) };
}

/** The DS records of a zone by BIND's own tool, from the keys that a server answers with. */
export async function dsFromKeys(server: Server, zone: string): Promise<readonly string[]> {
  const place = [`@${server.address}`, '-p', String(server.port)];
  const keys = await run('/usr/bin/dig', [...place, '+noall', '+answer', zone, 'DNSKEY']);
  const made = await run('/usr/bin/dnssec-dsfromkey', ['-2', '-f', '-', zone], {
    input: keys.stdout,
  });
  return made.stdout.split('\n').filter((line) => line.includes(' DS '));
}

export function logOf(server: RunningServer): string {
  return readFileSync(server.program.logFile, 'utf8');
}
