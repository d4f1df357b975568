import { installPackages } from '../packages.ts';
import type { ServerName } from './recipes.ts';

/** Debian's packages, each with a file that shows that it is there. */
const PACKAGES: readonly (readonly [name: string, file: string, server: ServerName | 'client'])[] =
  [
    ['dnsperf', '/usr/bin/dnsperf', 'client'],
    ['nsd', '/usr/sbin/nsd', 'nsd'],
    ['knot', '/usr/sbin/knotd', 'knot'],
    ['knot-module-geoip', '/usr/lib/x86_64-linux-gnu/knot/modules-3.2/geoip.so', 'knot'],
    ['gdnsd', '/usr/sbin/gdnsd', 'gdnsd'],
    ['pdns-server', '/usr/sbin/pdns_server', 'pdns'],
    ['pdns-backend-geoip', '/usr/lib/x86_64-linux-gnu/pdns/libgeoipbackend.so', 'pdns'],
  ];

/** Installs what is missing, where this is root on Debian; throws a message that says what to do. */
export async function ensurePackages(servers: readonly ServerName[]): Promise<void> {
  const wanted = PACKAGES.filter(([, , of]) => of === 'client' || servers.includes(of));
  await installPackages(wanted.map(([name, file]) => ({ name, file })));
}
