import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Blob } from '../api-client.ts';
import type { Connection } from '../client-config.ts';
import { encodeMessage } from '../content/upload-messages.ts';
import { DOM_SERVER_NAME } from '../tls/server-names.ts';
import { messagesOf } from './grpc/upload.ts';
import { http } from './http-module.ts';
import { domAgent, ERROR_HEADER, refusalOf } from './https-dom.ts';

/** Where dom's port takes what b8sctl uploads. */
export const UPLOADS_PATH = '/uploads/';

/** A connection on which nothing moves for so long is of no use: dom may be busy with its disk. */
const STILL_MS_MAX = 300_000;
/** By then the other end is asked whether it is there. */
const KEEPALIVE_MS = 20_000;

/** Says why dom took less than all. */
export class UploadRefusal extends Error {
  /** As gRPC names it; undefined: dom does not say. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** Whether dom has all is not known: the connection broke, or nobody there knows of this way. */
export class UploadBreak extends Error {}

/** Uploads over HTTP/1.1 and mutual TLS to one dom. */
export interface HttpsUploads {
  /**
   * Blobs one after the other, no faster than dom reads; all are stored when it resolves. Throws an
   * UploadRefusal, an UploadBreak, or what the blobs do.
   */
  upload(blobs: AsyncIterable<Blob>, signal: AbortSignal): Promise<void>;
  close(): void;
}

export function httpsUploads(connection: Connection): HttpsUploads {
  const agent = domAgent(connection.server, connection);
  return {
    upload: (blobs, signal) => upload(agent, blobs, signal),
    close: () => agent.destroy(),
  };
}

async function upload(
  agent: Agent,
  blobs: AsyncIterable<Blob>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const headers = { host: DOM_SERVER_NAME, 'content-type': 'application/octet-stream' };
  const to = { agent, method: 'POST', path: UPLOADS_PATH, headers };
  const request = http.request({ ...to, signal, timeout: STILL_MS_MAX });
  request.once('socket', (socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
  request.once('timeout', () => request.destroy(new Error('dom neither reads nor answers')));
  // The answer may come, as a refusal, before all is written; the write loop must then end too.
  let answered = false;
  const answer = answerOf(request).finally(() => {
    answered = true;
  });
  answer.catch(() => undefined);
  try {
    for await (const message of messagesOf(blobs)) {
      if (answered) break;
      if (!request.write(encodeMessage(message))) await Promise.race([drained(request), answer]);
    }
    request.end();
    await readAnswer(await answer);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    // Of what was answered early, nobody reads the rest.
    if (!request.writableFinished) request.destroy();
  }
}

async function readAnswer(response: IncomingMessage): Promise<void> {
  const { statusCode, headers } = response;
  const code = headers[ERROR_HEADER];
  const text = await refusalOf(response).catch((cause: unknown) => {
    throw new UploadBreak(`its answer was cut: ${String(cause)}`, { cause });
  });
  if (statusCode === 200) return;
  // An older dom knows no such path, and whatever else may stand there does not speak for dom.
  if (code === undefined && statusCode !== 500)
    throw new UploadBreak(`the answer is ${statusCode}, and not from what takes uploads`);
  throw new UploadRefusal(text, typeof code === 'string' ? code : undefined);
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (cause: NodeJS.ErrnoException) => {
      reject(new UploadBreak(`${cause.code ?? cause.name}: ${cause.message}`, { cause }));
    });
  });
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    request.once('drain', resolve);
  });
}
