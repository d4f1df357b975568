import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';

export interface TcpProxy {
  /** `http://127.0.0.1:port`, in place of the target's. */
  readonly endpoint: string;
  /** Connections that are open now, oldest first. */
  readonly connections: () => readonly ProxiedConnection[];
  /** From now on nothing passes, and nobody is told; new connections are taken and go nowhere. */
  cut(): void;
  /** Connections that were cut break, new ones pass. */
  heal(): void;
  stop(): Promise<void>;
}

export interface ProxiedConnection {
  /** Forwards nothing more, either way; both ends stay open. */
  stall(): void;
  /** Forwards what is asked, but no answer any more. */
  stallAnswers(): void;
}

export interface TcpProxyOptions {
  /** So late each piece of what is asked is forwarded, one after the other. Left out: at once. */
  readonly lateMs?: number;
}

/** Forwards TCP on loopback, and can be told to stop forwarding. */
export async function startTcpProxy(
  target: string,
  { lateMs = 0 }: TcpProxyOptions = {},
): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const open = new Map<Socket, ProxiedConnection>();
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  let phase: 'whole' | 'cut' = 'whole';
  const server = createServer((near) => {
    if (phase === 'cut') {
      silent.add(near);
      near.on('error', () => near.destroy());
      return;
    }
    const far = connect(Number(port), hostname);
    if (lateMs === 0) near.pipe(far);
    else near.pipe(delay(lateMs)).pipe(far);
    far.pipe(near);
    const stallAnswers = (): void => {
      far.unpipe(near);
      far.pause();
    };
    open.set(near, {
      stall: () => {
        near.unpipe();
        near.pause();
        stallAnswers();
      },
      stallAnswers,
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const ownPort = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${ownPort}`,
    connections: () => [...open.values()],
    cut: () => {
      phase = 'cut';
      for (const connection of open.values()) connection.stall();
    },
    heal: () => {
      phase = 'whole';
      for (const socket of [...sockets, ...silent]) socket.destroy();
      silent.clear();
    },
    stop: async () => {
      for (const socket of [...sockets, ...silent]) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function delay(lateMs: number): Transform {
  return new Transform({
    transform: (piece, _encoding, done) => void setTimeout(done, lateMs, undefined, piece),
  });
}
