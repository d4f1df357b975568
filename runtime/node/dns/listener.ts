import type { AddressInfo } from 'node:net';
import type { SecureContext } from 'node:tls';
import { type DatagramAnswerer, type DnsAnswerer, STREAM_IDLE_MS } from '../../dns/reply.ts';
import { freePortsAt } from '../free-ports.ts';
import type { TlsIdentity } from '../tls/contexts.ts';
import { ConnectionTable } from './connections.ts';
import { type BoundTlsSocket, listenTcp, listenTls } from './tcp.ts';
import { listenUdp } from './udp.ts';

export interface DnsListenerOptions {
  /** IPv4 and IPv6 addresses of this machine; wildcards work, too. */
  readonly addresses: readonly string[];
  /** 0: any that is free, one for all addresses and both transports. */
  readonly port: number;
  readonly answer: DnsAnswerer;
  /** The same for datagrams, without a copy of anything; left out: `answer`. */
  readonly answerDatagram?: DatagramAnswerer | undefined;
  /** What went wrong without ending anything. */
  readonly onError?: (error: Error) => void;
  readonly limits?: Partial<DnsTcpLimits>;
  /** Left out: no DNS over TLS. */
  readonly tls?: DnsTls;
}

/** How DNS over TLS is served (RFC 7858). */
export interface DnsTls {
  /** 0: any that is free, one for all addresses. */
  readonly port: number;
  /** For clients that name no server, or one that there is no certificate for. */
  readonly identity: TlsIdentity;
  /** The certificate of a name that a client asks for; undefined: there is none of its own. */
  readonly contextFor: (serverName: string) => SecureContext | undefined;
  /** 48 secret bytes, the same in all threads: a session that one began resumes with any. */
  readonly ticketKeys?: Uint8Array;
}

/**
 * What one slow or greedy client can take from the others (RFC 7766 §6, RFC 9210 §4), over TCP and
 * TLS together, in one thread.
 */
export interface DnsTcpLimits {
  /** One more, and the one that has been idle longest makes way. */
  readonly connectionsMax: number;
  /** IPv6: in one /64. */
  readonly connectionsPerAddressMax: number;
  /** From the connection's start or its last whole query to the next whole query. */
  readonly idleMs: number;
  /** How long answers may wait for a client to read them. */
  readonly stallMs: number;
}

export const DNS_TCP_LIMITS: DnsTcpLimits = {
  connectionsMax: 1000,
  connectionsPerAddressMax: 50,
  idleMs: STREAM_IDLE_MS,
  stallMs: 5_000,
};

export interface DnsListener {
  readonly port: number;
  /** Of DNS over TLS; undefined: it is not served. */
  readonly tlsPort: number | undefined;
  /** Why it is not, though it was asked for; undefined: it is. */
  readonly tlsProblem: string | undefined;
  /** For handshakes from now on; what is open stays open. */
  setTlsIdentity(identity: TlsIdentity): void;
  /** 48 bytes; for handshakes from now on. */
  setTicketKeys(keys: Uint8Array): void;
  /** Resolves once every socket is closed; open TCP connections are cut. */
  close(): Promise<void>;
}

/** A socket of either transport, bound. */
export interface BoundSocket {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/**
 * Serves DNS over UDP, TCP and, where it is asked for, TLS. The port is shared (SO_REUSEPORT) by all who ask for the same one,
 * so several threads can serve it and each be replaced while the others go on.
 *
 * Errors: rejects, with nothing left open, when an address cannot be bound; where only TLS cannot be
 * served, `tlsProblem` says why.
 */
export async function listenDns(options: DnsListenerOptions): Promise<DnsListener> {
  const { addresses } = options;
  const [port = options.port] = options.port === 0 ? await freePortsAt(addresses, 1) : [];
  try {
    return await bindAll({ ...options, port });
  } catch (cause) {
    throw new Error(`listen for DNS on ${addresses.join(', ')} port ${port}`, { cause });
  }
}

async function bindAll(options: DnsListenerOptions): Promise<DnsListener> {
  const { port, tls, answerDatagram } = options;
  const limits = { ...DNS_TCP_LIMITS, ...options.limits };
  const connections = new ConnectionTable(limits);
  const onError = options.onError ?? ((): void => undefined);
  const sockets: BoundSocket[] = [];
  const tlsSockets: BoundTlsSocket[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sockets.map((socket) => socket.close()));
  };
  let tlsPort = tls?.port;
  let tlsProblem: string | undefined;
  try {
    for (const host of options.addresses) {
      const shared = { host, answer: options.answer, onError };
      sockets.push(await listenUdp({ ...shared, port, answerDatagram }));
      sockets.push(await listenTcp({ ...shared, port, limits, connections }));
      if (tls === undefined || tlsPort === undefined) continue;
      try {
        const secure = await listenTls({ ...shared, port: tlsPort, limits, connections }, tls);
        sockets.push(secure);
        tlsSockets.push(secure);
        tlsPort = secure.address.port;
      } catch (error) {
        // Privacy is worth less than an answer: what asks over port 53 is served all the same.
        tlsProblem = `${host} port ${tlsPort}: ${(error as Error).message}`;
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    tlsPort: tlsSockets.length === 0 ? undefined : tlsPort,
    tlsProblem,
    setTlsIdentity: (identity) => {
      for (const socket of tlsSockets) socket.setIdentity(identity);
    },
    setTicketKeys: (keys) => {
      for (const socket of tlsSockets) socket.setTicketKeys(keys);
    },
    close,
  };
}
