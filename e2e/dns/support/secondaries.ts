import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from './exchange.ts';
import { KNOT, NSD, type RunningServer, startServer } from './programs.ts';

export const BIND = '/usr/sbin/named';

export interface SecondaryOptions extends Server {
  readonly folder: string;
  readonly zone: string;
  readonly primary: Server;
  readonly key: { readonly name: string; readonly secret: string };
}

/** Servers that take one zone by transfer, are told of new versions, and write down how it went. */
export const SECONDARIES: readonly {
  readonly name: string;
  readonly command: string;
  readonly start: (options: SecondaryOptions) => Promise<RunningServer>;
  /** What its log says of each transfer; the group: how many bytes it took. */
  readonly transferred: RegExp;
}[] = [
  {
    name: 'NSD',
    command: NSD,
    start: startNsdSecondary,
    transferred: /received update.* of (\d+) bytes/g,
  },
  {
    name: 'Knot',
    command: KNOT,
    start: startKnotSecondary,
    transferred: /incoming.* finished.* (\d+) bytes/g,
  },
  {
    name: 'BIND',
    command: BIND,
    start: startBind,
    transferred: /Transfer completed.* (\d+) bytes/g,
  },
];

function startNsdSecondary(options: SecondaryOptions): Promise<RunningServer> {
  const { address, port, zone, primary, key } = options;
  const folder = folderOf(options, 'nsd');
  return start('nsd', options, {
    command: NSD,
    args: (file) => ['-d', '-V', '2', '-c', file],
    config: `
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
  rrl-ratelimit: 0
  verbosity: 3
remote-control:
  control-enable: no
key:
  name: "${key.name}"
  algorithm: hmac-sha256
  secret: "${key.secret}"
zone:
  name: "${zone}"
  zonefile: "${folder}/zone"
  request-xfr: ${primary.address}@${primary.port} ${key.name}
  allow-notify: 127.0.0.0/8 ${key.name}
  outgoing-interface: ${address}
`,
  });
}

function startKnotSecondary(options: SecondaryOptions): Promise<RunningServer> {
  const { address, port, zone, primary, key } = options;
  const folder = folderOf(options, 'knot');
  mkdirSync(join(folder, 'db'), { recursive: true });
  return start('knot', options, {
    command: KNOT,
    args: (file) => ['-c', file],
    config: `
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
key:
  - id: ${key.name}
    algorithm: hmac-sha256
    secret: "${key.secret}"
remote:
  - id: primary
    address: ${primary.address}@${primary.port}
    via: ${address}
    key: ${key.name}
acl:
  - id: told
    address: 127.0.0.0/8
    key: ${key.name}
    action: notify
zone:
  - domain: "${zone}"
    file: "${folder}/zone"
    master: primary
    acl: told
`,
  });
}

function startBind(options: SecondaryOptions): Promise<RunningServer> {
  const { address, port, zone, primary, key } = options;
  const folder = folderOf(options, 'bind');
  // Whatever it may want of the root, nothing leaves the machine.
  writeFileSync(join(folder, 'root.hints'), `. 3600 NS root.\nroot. 3600 A ${address}\n`);
  return start('bind', options, {
    command: BIND,
    args: (file) => ['-g', '-n', '1', '-4', '-c', file],
    config: `
key "${key.name}" { algorithm hmac-sha256; secret "${key.secret}"; };
options {
  directory "${folder}";
  pid-file none;
  session-keyfile none;
  listen-on port ${port} { ${address}; };
  listen-on-v6 { none; };
  transfer-source ${address};
  // It would look for the zone's other nameservers, by way of the root, to tell them.
  notify no;
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
};
controls { };
zone "." { type hint; file "root.hints"; };
zone "${zone}" {
  type secondary;
  file "zone";
  primaries { ${primary.address} port ${primary.port} key "${key.name}"; };
  allow-notify { key "${key.name}"; };
};
`,
  });
}

function folderOf({ folder }: SecondaryOptions, name: string): string {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return own;
}

function start(
  name: string,
  { folder, address, port, zone }: SecondaryOptions,
  program: {
    readonly command: string;
    readonly args: (configFile: string) => readonly string[];
    readonly config: string;
  },
): Promise<RunningServer> {
  const file = join(folder, name, 'secondary.conf');
  writeFileSync(file, program.config);
  return startServer({
    ...{ name, folder, address, port, zones: [{ origin: zone, text: '' }] },
    ...{ command: program.command, args: program.args(file) },
  });
}
