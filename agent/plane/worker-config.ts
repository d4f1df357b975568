import type { TlsIdentity } from '../../runtime/node/tls/contexts.ts';
import type { ServerIdentity } from '../dns/chaos.ts';
import type { DnsLimitSettings } from '../dns/limit/limit.ts';
import type { WorkerKind } from './plane.ts';

/** What the workers of one node are started with. */
export interface PlaneSettings {
  readonly nodeName: string;
  /** IPv4 and IPv6 addresses to listen on. */
  readonly addresses: readonly string[];
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly dnsPort: number;
  /** The sub's folder, under which the blobs lie. */
  readonly folder: string;
  /** 48 random bytes, so that each edge worker resumes the TLS sessions of the others. */
  readonly ticketKeys: Uint8Array;
  /** Of hot files, in each edge worker; see `MEMORY_CACHE_LIMITS`. */
  readonly cacheBytesMax: number;
  /** Of one client to each edge worker, see `HTTP_LIMITS`; left out: its default. */
  readonly connectionsPerClientMax?: number | undefined;
  /** Of each DNS worker, see `DNS_LIMIT`; left out: none. */
  readonly dnsLimit?: DnsLimitSettings | undefined;
  /** What is told in class CHAOS; left out: nothing. */
  readonly dnsIdentity?: ServerIdentity | undefined;
  /** How DNS over TLS is served; left out: not at all. */
  readonly dnsTls?: DnsTlsSettings | undefined;
  /** Whether `crash` and `hang` are taken seriously. */
  readonly mode: 'production' | 'test';
}

export interface DnsTlsSettings {
  readonly port: number;
  /** Shown where no certificate of the plan is for the nameserver's name. */
  readonly fallback: TlsIdentity;
}

/** What one worker thread finds in `workerData`. */
export interface WorkerConfig extends PlaneSettings {
  readonly kind: WorkerKind;
}

export const TICKET_KEYS_BYTES = 48;

/**
 * Requests leave short-lived garbage, and V8 would let it grow to 48 MB a thread before it looks.
 * Measured under full load with one edge worker: 119 MB resident for the process instead of 155.
 */
export const WORKER_RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 6 };

/** Of the process that compiles a database: more room for short-lived garbage, less sweeping. */
export const GEO_FLAGS: readonly string[] = [
  '--max-semi-space-size=8',
  '--disable-warning=ExperimentalWarning',
];

/**
 * On a machine of `cores`: all of them but one, which is for what else a node does. Nameserver and
 * edge threads share them where a node is both.
 */
export function workerCounts({
  cores,
  roles,
}: {
  readonly cores: number;
  readonly roles: readonly string[];
}): Readonly<Record<WorkerKind, number>> {
  const [isEdge, isNameserver] = [roles.includes('edge'), roles.includes('nameserver')];
  const all = Math.max(1, cores - 1);
  const each = isEdge && isNameserver ? Math.max(1, Math.floor(all / 2)) : all;
  return { edge: isEdge ? each : 0, dns: isNameserver ? each : 0 };
}

/**
 * Node tries to send each datagram on its own. Told not to, it leaves them to libuv, which hands
 * over what has gathered in one call (sendmmsg): a fifth less CPU time for an answer. The option
 * was made for Node's own tests; without it everything works, but slower.
 */
export function workerFlags(kind: WorkerKind): readonly string[] {
  return kind === 'dns' ? ['--test-udp-no-try-send'] : [];
}
