import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Socket } from 'node:net';
import type { BoundSocket, DnsAnswerer, DnsTcpLimits } from './dns-listener.ts';

/** Longest query that is read; an honest one is a question, a few options, and padding. */
export const TCP_QUERY_BYTES_MAX = 4096;

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  readonly answer: DnsAnswerer;
  readonly onError: (error: Error) => void;
  readonly limits: DnsTcpLimits;
}

/** DNS over TCP (RFC 7766): each message after its length in two bytes, answers in order. */
export async function listenTcp(options: TcpOptions): Promise<BoundSocket> {
  const { host, port, onError, limits } = options;
  const connections = new Map<Socket, string>();
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.remoteAddress ?? '';
    const fromSame = [...connections.values()].filter((other) => other === address).length;
    if (address === '' || fromSame >= limits.connectionsPerAddressMax) {
      socket.destroy();
      return;
    }
    connections.set(socket, address);
    socket.once('close', () => connections.delete(socket));
    serveConnection(socket, address, options);
  });
  server.maxConnections = limits.connectionsMax;
  server.listen({ host, port, ipv6Only: isIPv6(host), reusePort: true });
  await once(server, 'listening');
  server.on('error', onError);
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of connections.keys()) socket.destroy();
      }),
  };
}

function serveConnection(
  socket: Socket,
  address: string,
  { answer, onError, limits }: TcpOptions,
): void {
  let received: Buffer = Buffer.alloc(0);
  let stalled: NodeJS.Timeout | undefined;
  const cut = (): void => {
    socket.destroy();
  };
  // Whole queries keep a connection alive, single bytes do not.
  const idle = setTimeout(cut, limits.idleMs);

  /** Answers whole queries until there is none left or the client must read first. */
  const answerReceived = (): void => {
    while (stalled === undefined && !socket.destroyed) {
      const frame = takeFrame(received);
      if (frame === 'partial') return;
      if (frame === 'too-long') return cut();
      received = frame.rest;
      idle.refresh();
      const reply = answer(frame.query, { address, transport: 'tcp' });
      if (reply === undefined) return cut();
      const length = Buffer.of(reply.length >> 8, reply.length & 0xff);
      if (!socket.write(Buffer.concat([length, reply]))) {
        socket.pause();
        stalled = setTimeout(cut, limits.stallMs);
      }
    }
  };
  const guarded = (): void => {
    try {
      answerReceived();
    } catch (error) {
      onError(error as Error);
      cut();
    }
  };
  socket.on('data', (bytes: Buffer) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    guarded();
  });
  socket.on('drain', () => {
    clearTimeout(stalled);
    stalled = undefined;
    guarded();
    if (stalled === undefined) socket.resume();
  });
  // A reset is the client's affair; 'close' follows.
  socket.on('error', cut);
  socket.once('close', () => {
    clearTimeout(idle);
    clearTimeout(stalled);
  });
}

/** The first whole query, if it is there. */
function takeFrame(
  received: Buffer,
): { readonly query: Buffer; readonly rest: Buffer } | 'partial' | 'too-long' {
  if (received.length < 2) return 'partial';
  const end = 2 + received.readUInt16BE(0);
  if (end - 2 > TCP_QUERY_BYTES_MAX) return 'too-long';
  if (received.length < end) return 'partial';
  return { query: received.subarray(2, end), rest: received.subarray(end) };
}
