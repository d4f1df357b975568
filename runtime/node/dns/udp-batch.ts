import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { formatAddress } from '../../../api/rdata/address.ts';
import {
  type DatagramAnswerer,
  type DnsDatagram,
  type DnsPeer,
  datagramAnswerer,
} from '../../dns/reply.ts';
import type { OpenUdpBatch, UdpBatchAddon } from '../udp-batch/addon.ts';
import { SOCKET_BUFFER_BYTES, type UdpOptions, type UdpSocket } from './udp-socket.ts';

/** A socket of the addon, which reads and sends many datagrams in one call; see `listenUdp`. */
export async function listenBatched(
  { host, port, answer, answerDatagram = datagramAnswerer(answer), onError }: UdpOptions,
  addon: UdpBatchAddon,
): Promise<UdpSocket> {
  const opened = addon.open(host, port, SOCKET_BUFFER_BYTES, (count) => batches.serve(count));
  if (typeof opened === 'number') throw systemError(`bind ${host}:${port}`, opened);
  const batches = new Batches({ addon, opened, host, answer: answerDatagram, onError });
  const family = isIPv6(host) ? 'IPv6' : 'IPv4';
  return {
    address: { address: host, family, port: opened.port },
    close: () => {
      addon.close(opened.handle);
      return Promise.resolve();
    },
  };
}

interface BatchesParts {
  readonly addon: UdpBatchAddon;
  readonly opened: OpenUdpBatch;
  readonly host: string;
  readonly answer: DatagramAnswerer;
  readonly onError: (error: Error) => void;
}

/** The memory that is shared with the addon, and what is done with it. */
class Batches {
  readonly #answer: DatagramAnswerer;
  readonly #onError: (error: Error) => void;
  readonly #datagrams: readonly LentDatagram[];
  readonly #queryBytes: Int32Array;
  readonly #replyBytes: Int32Array;
  /** Errno, and how many could not be sent. */
  readonly #failure: Int32Array;

  constructor({ addon, opened: { memory }, host, answer, onError }: BatchesParts) {
    const { batch, datagramBytesMax, stride, failureAt, addressesAt } = addon;
    this.#answer = answer;
    this.#onError = onError;
    this.#failure = new Int32Array(memory, failureAt, 2);
    this.#queryBytes = new Int32Array(memory, addon.queryBytesAt, batch);
    this.#replyBytes = new Int32Array(memory, addon.replyBytesAt, batch);
    const addressBytes = isIPv6(host) ? 16 : 4;
    this.#datagrams = Array.from({ length: batch }, (_, index) => {
      const address = new Uint8Array(memory, addressesAt + ADDRESS_STRIDE * index, addressBytes);
      const room = (from: number): Buffer =>
        Buffer.from(memory, from + stride * index, datagramBytesMax);
      return new LentDatagram(address, room(addon.queriesAt), room(addon.repliesAt));
    });
  }

  /** Answers the first so many datagrams; never throws, whatever the answerer does. */
  serve(count: number): void {
    if (this.#failure[0] !== 0) this.#tellFailure();
    const [queryBytes, replyBytes] = [this.#queryBytes, this.#replyBytes];
    for (let index = 0; index < count; index += 1) {
      const datagram = this.#datagrams[index];
      const length = queryBytes[index] ?? 0;
      if (datagram === undefined || length === 0) continue;
      datagram.queryBytes = length;
      try {
        replyBytes[index] = this.#answer(datagram);
      } catch (error) {
        this.#onError(error as Error);
      }
    }
  }

  #tellFailure(): void {
    const [errno = 0, count = 0] = this.#failure;
    this.#failure.fill(0);
    const what = count === 0 ? 'receive datagrams' : `send ${count} answers`;
    this.#onError(systemError(what, -errno));
  }
}

const ADDRESS_STRIDE = 16;

class LentDatagram implements DnsDatagram {
  readonly query: Buffer;
  readonly reply: Buffer;
  readonly peer: DnsPeer;
  queryBytes = 0;

  constructor(address: Uint8Array, query: Buffer, reply: Buffer) {
    this.query = query;
    this.reply = reply;
    this.peer = new LentPeer(address);
  }
}

/** Its text is made only for those who ask for it. */
class LentPeer implements DnsPeer {
  readonly bytes: Uint8Array;
  readonly transport = 'udp';

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get address(): string {
    return formatAddress(this.bytes);
  }
}

/** As Node's own sockets say it. `errno` is below zero. */
function systemError(what: string, errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${what}: ${code}`), { code, errno });
}
