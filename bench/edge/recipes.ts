import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type ServerName = 'b8s' | 'nginx' | 'caddy';
export const SERVER_NAMES: readonly ServerName[] = ['b8s', 'nginx', 'caddy'];
export const HOST = '127.0.0.1';

export interface Given {
  /** For what the server itself writes. */
  readonly folder: string;
  /** The site. */
  readonly root: string;
  readonly port: number;
  /** Paths of the certificate's chain and its key. */
  readonly chain: string;
  readonly key: string;
}

/** Writes what a server needs into its folder; returns its command line. */
type Recipe = (given: Given) => Promise<readonly string[]>;

/** The same files for each, without an access log, as its own documentation would have it fast. */
export const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  b8s: ({ port, root, chain, key }) => Promise.resolve(b8sCommand([`${port}`, root, chain, key])),
  nginx: prepareNginx,
  caddy: prepareCaddy,
};

function b8sCommand(args: readonly string[]): readonly string[] {
  const script = join(import.meta.dirname, 'b8s-server.ts');
  // As bin/sub starts it.
  const flags = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];
  const env = [
    'MALLOC_ARENA_MAX=2',
    'MALLOC_MMAP_THRESHOLD_=131072',
    'MALLOC_TRIM_THRESHOLD_=131072',
  ];
  return ['env', ...env, process.execPath, ...flags, script, ...args];
}

async function prepareNginx({ folder, root, port, chain, key }: Given): Promise<readonly string[]> {
  const config = join(folder, 'nginx.conf');
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    config,
    `${process.getuid?.() === 0 ? 'user root;\n' : ''}worker_processes 1;
daemon off;
pid ${folder}/pid;
error_log stderr;
events {
  worker_connections 4096;
}
http {
  include /etc/nginx/mime.types;
${kinds.map((kind) => `  ${kind}_temp_path ${folder}/${kind};\n`).join('')}  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=20000 inactive=10m;
  gzip_static on;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:tls:10m;
  server {
    listen ${HOST}:${port} ssl http2 backlog=1024;
    ssl_certificate ${chain};
    ssl_certificate_key ${key};
    root ${root};
  }
}
`,
  );
  return ['nginx', '-p', folder, '-c', config];
}

async function prepareCaddy({ folder, root, port, chain, key }: Given): Promise<readonly string[]> {
  const config = join(folder, 'Caddyfile');
  await writeFile(
    config,
    `{
	admin off
	auto_https off
	storage file_system ${folder}
}
https://localhost:${port} {
	bind ${HOST}
	tls ${chain} ${key}
	root * ${root}
	file_server {
		precompressed gzip
	}
}
`,
  );
  const env = [`HOME=${folder}`, `XDG_DATA_HOME=${folder}`, `XDG_CONFIG_HOME=${folder}`];
  return ['env', ...env, 'caddy', 'run', '--config', config, '--adapter', 'caddyfile'];
}
