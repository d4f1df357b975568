import type { AddressInfo } from 'node:net';
import type { DatagramAnswerer, DnsAnswerer } from '../../dns/reply.ts';

export interface UdpOptions {
  readonly host: string;
  readonly port: number;
  readonly answer: DnsAnswerer;
  /** The same without a copy of anything, where datagrams come in batches; left out: `answer`. */
  readonly answerDatagram?: DatagramAnswerer | undefined;
  readonly onError: (error: Error) => void;
}

/** A socket, bound. */
export interface UdpSocket {
  readonly address: AddressInfo;
  /** Resolves once the port is free. */
  close(): Promise<void>;
}

/** Room for bursts while the thread is busy; the kernel may grant less. */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/**
 * The longest query and the longest answer. Queries over TCP are not longer either, and answers
 * over UDP are much shorter (RFC 6891 §6.2.5).
 */
export const DATAGRAM_BYTES_MAX = 4096;
