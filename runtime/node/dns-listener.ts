import type { AddressInfo } from 'node:net';
import { listenTcp } from './dns-tcp.ts';
import { listenUdp } from './dns-udp.ts';

export interface DnsPeer {
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  readonly transport: 'udp' | 'tcp';
}

/** Undefined: say nothing. Must not block; a throw is reported and costs only that query. */
export type DnsAnswerer = (query: Uint8Array, peer: DnsPeer) => Uint8Array | undefined;

export interface DnsListenerOptions {
  /** IPv4 and IPv6 addresses of this machine; wildcards work, too. */
  readonly addresses: readonly string[];
  /** 0: any that is free, one for all addresses and both transports. */
  readonly port: number;
  readonly answer: DnsAnswerer;
  /** What went wrong without ending anything. */
  readonly onError?: (error: Error) => void;
  readonly limits?: Partial<DnsTcpLimits>;
}

/** What one slow or greedy TCP client can take from the others (RFC 7766 §6, RFC 9210 §4). */
export interface DnsTcpLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** From the connection's start or its last whole query to the next whole query. */
  readonly idleMs: number;
  /** How long answers may wait for a client to read them. */
  readonly stallMs: number;
}

export const DNS_TCP_LIMITS: DnsTcpLimits = {
  connectionsMax: 1000,
  connectionsPerAddressMax: 50,
  idleMs: 10_000,
  stallMs: 5_000,
};

export interface DnsListener {
  readonly port: number;
  /** Resolves once every socket is closed; open TCP connections are cut. */
  close(): Promise<void>;
}

/** A socket of either transport, bound. */
export interface BoundSocket {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/**
 * Serves DNS over UDP and TCP. The port is shared (SO_REUSEPORT) by all who ask for the same one,
 * so several threads can serve it and each be replaced while the others go on.
 *
 * Errors: rejects, with nothing left open, when an address cannot be bound.
 */
export async function listenDns(options: DnsListenerOptions): Promise<DnsListener> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindAll(options);
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (taken && options.port === 0 && attempt < FREE_PORT_ATTEMPTS) {
        continue;
      }
      const port = options.port === 0 ? 'any' : options.port;
      throw new Error(`listen for DNS on ${options.addresses.join(', ')} port ${port}`, { cause });
    }
  }
}

/** A port that is free for UDP can be taken for TCP, or on another address. */
const FREE_PORT_ATTEMPTS = 20;

async function bindAll(options: DnsListenerOptions): Promise<DnsListener> {
  const limits = { ...DNS_TCP_LIMITS, ...options.limits };
  const onError = options.onError ?? ((): void => undefined);
  const sockets: BoundSocket[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sockets.map((socket) => socket.close()));
  };
  let port = options.port;
  try {
    for (const host of options.addresses) {
      const shared = { host, answer: options.answer, onError };
      const udp = await listenUdp({ ...shared, port });
      sockets.push(udp);
      port = udp.address.port;
      sockets.push(await listenTcp({ ...shared, port, limits }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port, close };
}
