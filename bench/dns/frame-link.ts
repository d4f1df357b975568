import type { Socket } from 'node:net';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';

/** A link over a socket: four bytes of length before each frame. */
export function frameLink(socket: Socket): Link {
  socket.on('error', () => socket.destroy());
  return {
    send: (frame) => sendFrame(socket, frame),
    drained: () =>
      new Promise((resolve) => {
        if (!socket.writableNeedDrain || socket.destroyed) return resolve();
        socket.once('drain', resolve);
        socket.once('close', () => resolve());
      }),
    frames: () => framesFrom(socket),
    close: () => socket.destroy(),
  };
}

function sendFrame(socket: Socket, frame: Uint8Array): boolean {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(frame.length);
  socket.write(length);
  return socket.write(frame);
}

const LENGTH_BYTES = 4;

async function* framesFrom(socket: Socket): AsyncGenerator<Uint8Array> {
  let pieces: Buffer[] = [];
  let heldBytes = 0;
  for await (const piece of socket as AsyncIterable<Buffer>) {
    pieces.push(piece);
    heldBytes += piece.length;
    for (;;) {
      const length = heldBytes < LENGTH_BYTES ? undefined : lengthIn(pieces);
      if (length === undefined || heldBytes < LENGTH_BYTES + length) break;
      const whole = Buffer.concat(pieces);
      heldBytes -= LENGTH_BYTES + length;
      pieces = heldBytes === 0 ? [] : [whole.subarray(LENGTH_BYTES + length)];
      yield whole.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
    }
  }
  throw new LinkClosedError('lost', 'the socket was closed');
}

function lengthIn(pieces: readonly Buffer[]): number {
  const [first = Buffer.alloc(0)] = pieces;
  return (first.length < LENGTH_BYTES ? Buffer.concat(pieces) : first).readUInt32LE(0);
}
