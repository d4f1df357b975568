import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Server {
  readonly address: string;
  readonly port: number;
}

export interface Datagram {
  readonly bytes: Buffer;
  readonly transport: 'udp' | 'tcp';
}

/** Queries under way at once: few enough for any socket's buffer, and for limits per address. */
const IN_FLIGHT_MAX = { udp: 128, tcp: 16 };
/** A datagram can be lost, and a machine be busy: only what is asked for ever longer is silence. */
const TIMEOUTS_MS = [300, 800, 2_500];
/** A connection each. */
const TCP_TIMEOUTS_MS = [1_000, 2_000, 3_000];

/**
 * Sends each to the server and gives what came back, in the same order; undefined: nothing did, or
 * the connection was closed without a word. Ids are this function's own; replies keep them out.
 */
export async function exchangeAll(
  server: Server,
  queries: readonly Datagram[],
): Promise<readonly (Buffer | undefined)[]> {
  const udp = await UdpClient.open(server);
  const replies: (Buffer | undefined)[] = [];
  const askNext = async (waiting: (readonly [number, Datagram])[]): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [index, { bytes, transport }] = next;
      const query = withId(bytes, index & 0xffff);
      replies[index] = await (transport === 'udp' ? udp.ask(query) : askTcp(server, query));
    }
  };
  try {
    await Promise.all(
      (['udp', 'tcp'] as const).flatMap((transport) => {
        const all = [...queries.entries()].filter(([, query]) => query.transport === transport);
        const waiting = all.toReversed();
        return Array.from({ length: IN_FLIGHT_MAX[transport] }, () => askNext(waiting));
      }),
    );
  } finally {
    udp.close();
  }
  return queries.map((_, index) => replies[index]);
}

class UdpClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: Buffer) => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message) => {
      if (message.length >= 2) this.#waiting.get(message.readUInt16BE(0))?.(message);
    });
    // A refused port is silence, which the caller reports.
    socket.on('error', () => undefined);
  }

  static async open({ address, port }: Server): Promise<UdpClient> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.connect(port, address);
    await once(socket, 'connect');
    return new UdpClient(socket);
  }

  async ask(query: Buffer): Promise<Buffer | undefined> {
    const id = query.length < 2 ? -1 : query.readUInt16BE(0);
    for (const timeoutMs of TIMEOUTS_MS) {
      const reply = await new Promise<Buffer | undefined>((settle) => {
        const late = setTimeout(() => settle(undefined), timeoutMs);
        this.#waiting.set(id, (message) => {
          clearTimeout(late);
          settle(message);
        });
        this.#socket.send(query, () => undefined);
      });
      this.#waiting.delete(id);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  close(): void {
    this.#socket.close();
  }
}

async function askTcp(server: Server, query: Buffer): Promise<Buffer | undefined> {
  for (const timeoutMs of TCP_TIMEOUTS_MS) {
    const reply = await askTcpOnce(server, { query, timeoutMs });
    if (reply !== undefined) return reply;
  }
  return undefined;
}

/** One query on a connection of its own. */
async function askTcpOnce(
  { address, port }: Server,
  { query, timeoutMs }: { readonly query: Buffer; readonly timeoutMs: number },
): Promise<Buffer | undefined> {
  const socket = connect(port, address);
  let received: Buffer = Buffer.alloc(0);
  try {
    return await new Promise((settle) => {
      socket.setTimeout(timeoutMs, () => settle(undefined));
      socket.once('error', () => settle(undefined));
      socket.once('close', () => settle(undefined));
      socket.on('data', (bytes: Buffer) => {
        received = Buffer.concat([received, bytes]);
        if (received.length < 2) return;
        const end = 2 + received.readUInt16BE(0);
        if (received.length >= end) settle(received.subarray(2, end));
      });
      socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 0xff), query]));
    });
  } finally {
    socket.destroy();
  }
}

/** What is too short to have an id stays as it is, and cannot be answered. */
function withId(bytes: Buffer, id: number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length >= 2) copy.writeUInt16BE(id, 0);
  return copy;
}
