import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Edge } from '../support/https.ts';

export type Protocol = 'HTTP/1.1' | 'HTTP/2';

/** A file on its way, read only so far. */
export interface SlowDownload {
  /** Reads the rest; what came in all. */
  finish(): Promise<{ readonly sizeBytes: number; readonly sha256: string }>;
  /** HTTP/2: the server has said that it will end (RFC 9113 §6.8). */
  readonly hasGoaway: () => boolean;
}

/** Asks for a file and stops reading once the first bytes are here. */
export async function slowDownload(
  protocol: Protocol,
  given: { readonly edge: Edge; readonly host: string; readonly ca: string; readonly path: string },
): Promise<SlowDownload> {
  const { edge, host, ca, path } = given;
  if (protocol === 'HTTP/1.1') {
    const call = request({
      ...{ host: edge.address, port: edge.port, path, servername: host, ca, agent: false },
      headers: { host },
    });
    call.end();
    const [response] = (await once(call, 'response')) as [Readable];
    return reading(response, () => false);
  }
  const session = connectHttp2(`https://${host}:${edge.port}`, {
    ...{ ca, servername: host, host: edge.address },
  });
  session.on('error', () => undefined);
  let hasGoaway = false;
  session.on('goaway', () => {
    hasGoaway = true;
  });
  const stream = session.request({ ':path': path });
  await once(stream, 'response');
  const download = await reading(stream, () => hasGoaway);
  return {
    ...download,
    finish: async () => {
      try {
        return await download.finish();
      } finally {
        session.close();
      }
    },
  };
}

/** Read in steps, so that it takes a while. */
const STEP_BYTES = 2 * 1024 * 1024;

async function reading(from: Readable, hasGoaway: () => boolean): Promise<SlowDownload> {
  const hash = createHash('sha256');
  const pieces = from[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await pieces.next();
  return {
    hasGoaway,
    async finish() {
      let [stepBytes, sizeBytes] = [0, 0];
      for (let piece = first; piece.done !== true; piece = await pieces.next()) {
        hash.update(piece.value);
        stepBytes += piece.value.length;
        sizeBytes += piece.value.length;
        if (stepBytes < STEP_BYTES) continue;
        stepBytes = 0;
        await pause(20);
      }
      return { sizeBytes, sha256: hash.digest('hex') };
    },
  };
}
