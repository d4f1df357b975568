import type { Clock } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk/disk.ts';
import type { Log } from '../runtime/log.ts';
import { checkBind } from '../runtime/node/bind-check.ts';
import { nodeReadShared } from '../runtime/node/shared-file.ts';
import { selfSignedIdentity } from '../runtime/node/tls/self-signed.ts';
import { findAddon } from '../runtime/node/udp-batch/addon.ts';
import { processWorkers } from '../runtime/node/worker-processes.ts';
import { threadWorkers } from '../runtime/node/worker-threads.ts';
import type { Random } from '../runtime/random.ts';
import type { ServerIdentity } from './dns/chaos.ts';
import type { DnsLimitSettings } from './dns/limit/limit.ts';
import type { Place } from './placed-plane.ts';
import { compileInWorker, type GeoJob, type GeoOutcome } from './plane/geo-compiler.ts';
import type { FromWorker, ToWorker } from './plane/messages.ts';
import type { DataPlane, WorkerKind } from './plane/plane.ts';
import { createThreadedPlane } from './plane/threaded-plane.ts';
import { createTicketKeys } from './plane/ticket-keys.ts';
import {
  GEO_FLAGS,
  type PlaneSettings,
  WORKER_RESOURCE_LIMITS,
  type WorkerConfig,
  workerCounts,
  workerFlags,
} from './plane/worker-config.ts';

export interface OpenPlaneOptions {
  readonly node: string;
  /** The node's folder on this machine: edge workers read it for themselves. */
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly cores: number;
  /** How many of each kind, where the node has the role. Left out: what suits the cores. */
  readonly threads: Readonly<Partial<Record<WorkerKind, number>>>;
  readonly cacheBytesMax: number;
  /** HTTP connections of one client to each edge worker; left out: the usual number. */
  readonly connectionsPerClientMax?: number | undefined;
  /** Of each DNS worker; undefined: none. */
  readonly dnsLimit: DnsLimitSettings | undefined;
  /** What nameservers say of themselves in class CHAOS; undefined: nothing. */
  readonly dnsIdentity: ServerIdentity | undefined;
  /** The port of DNS over TLS, 0: none; left out: 853 where DNS is at 53. */
  readonly dnsTlsPort?: number | undefined;
}

/** A plane of worker threads at that place. Throws where this process may not listen. */
export async function openPlane(place: Place, options: OpenPlaneOptions): Promise<DataPlane> {
  await refuseUnbindable(place);
  if (place.roles.includes('nameserver')) tellOfDatagrams(options.log);
  const { node, folder, disk, clock, random, log, cores, threads } = options;
  const { cacheBytesMax, connectionsPerClientMax, dnsLimit, dnsIdentity } = options;
  const { addresses, httpPort, httpsPort, dnsPort } = place;
  const tickets = createTicketKeys(random);
  const settings: PlaneSettings = {
    ...{ nodeName: node, addresses, httpPort, httpsPort, dnsPort, folder, cacheBytesMax },
    ...{ connectionsPerClientMax, dnsLimit, dnsIdentity, dnsTls: dnsTlsSettings(place, options) },
    ticketKeys: tickets.current(),
    mode: 'production',
  };
  const workers = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: new URL('./plane/main.ts', import.meta.url),
    dataFor: (kind): WorkerConfig => ({ ...settings, ticketKeys: tickets.current(), kind }),
    resourceLimits: WORKER_RESOURCE_LIMITS,
    flagsFor: workerFlags,
  });
  const usual = workerCounts({ cores, roles: place.roles });
  const counts = {
    edge: usual.edge === 0 ? 0 : (threads.edge ?? usual.edge),
    dns: usual.dns === 0 ? 0 : (threads.dns ?? usual.dns),
  };
  const compileGeo = compileInWorker((digest) =>
    processWorkers<'geo', never, GeoOutcome>({
      entry: new URL('./plane/geo/main.ts', import.meta.url),
      dataFor: (kind): GeoJob => ({ kind, folder, digest }),
      flags: GEO_FLAGS,
    }),
  );
  return createThreadedPlane({
    readShared: nodeReadShared(folder),
    compileGeo,
    tickets,
    workers,
    counts,
    disk,
    clock,
    random,
    log,
  });
}

/** Here rather than in each worker, so that it is said once. */
function tellOfDatagrams(log: Log): void {
  const found = findAddon();
  if (found.kind === 'found') return;
  const mend = found.problem;
  log.info({ mend }, 'DNS datagrams are read one at a time: fewer queries a second');
}

/** RFC 7858 §3.1. Where DNS is at a port of its own, several nodes may share the machine. */
const DNS_TLS_PORT = 853;
const DAY_MS = 86_400_000;

function dnsTlsSettings(
  { dnsPort, roles }: Place,
  { node, clock, random, dnsTlsPort }: OpenPlaneOptions,
): PlaneSettings['dnsTls'] {
  const port = dnsTlsPort ?? (dnsPort === 53 ? DNS_TLS_PORT : 0);
  if (port === 0 || !roles.includes('nameserver')) return undefined;
  const nowMs = clock.nowMs();
  const fallback = selfSignedIdentity({
    name: node,
    notBeforeMs: nowMs - DAY_MS,
    // Whoever takes it asks neither who vouches for it nor until when.
    notAfterMs: nowMs + 3650 * DAY_MS,
    serialNumber: random.bytes(16),
  });
  return { port, fallback };
}

async function refuseUnbindable(place: Place): Promise<void> {
  const ports = [
    ...(place.roles.includes('edge') ? [place.httpPort, place.httpsPort] : []),
    ...(place.roles.includes('nameserver') ? [place.dnsPort] : []),
  ];
  for (const address of place.addresses) {
    for (const port of ports) {
      if ((await checkBind(address, port)) === 'allowed') continue;
      throw new Error(
        `no right to listen on port ${port}: run sub as root or with CAP_NET_BIND_SERVICE (docs/building.md)`,
      );
    }
  }
}
