import type { Clock } from '../clock.ts';
import type { Datagrams } from './datagrams.ts';

/** Who is sent a datagram: what it sends back, and from where if not from where it was asked. */
export type DatagramPeer = (
  message: Uint8Array,
) => readonly { readonly message: Uint8Array; readonly port?: number }[];

/** Peers by address and port, without a network. */
export interface MemoryDatagrams extends Datagrams {
  /** Undefined: nobody is there any more. */
  setPeer(address: string, port: number, peer: DatagramPeer | undefined): void;
}

export function memoryDatagrams({ clock }: { readonly clock: Clock }): MemoryDatagrams {
  const peers = new Map<string, DatagramPeer>();
  return {
    setPeer(address, port, peer) {
      if (peer === undefined) peers.delete(`${address} ${port}`);
      else peers.set(`${address} ${port}`, peer);
    },
    async exchange({ address, port, message, isReply, timeoutMs }, signal) {
      if (signal.aborted) return undefined;
      const replies = peers.get(`${address} ${port}`)?.(message) ?? [];
      const found = replies.find(
        (reply) => (reply.port ?? port) === port && isReply(reply.message),
      );
      if (found !== undefined) return found.message;
      await clock.sleep(timeoutMs, signal).catch(() => undefined);
      return undefined;
    },
  };
}
