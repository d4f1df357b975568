import type * as Http from 'node:http';
import { request as httpsRequest } from 'node:https';
import { POSTED_BYTES_MAX, type Posted, type Poster } from '../poster.ts';
import { http } from './http-module.ts';

/** Node's own client. */
export const nodePoster: Poster = {
  async post({ url, headers, body, caBundle }, signal) {
    const target = new URL(url);
    const { promise, resolve, reject } = Promise.withResolvers<Posted>();
    const options = {
      ...{ method: 'POST', agent: false as const, signal },
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    };
    const request =
      target.protocol === 'http:'
        ? http.request(target, options)
        : httpsRequest(target, { ...options, ...(caBundle !== undefined && { ca: caBundle }) });
    request.once('response', (response) => void read(response).then(resolve, reject));
    // Also after it was answered: what is left of the body need not be taken.
    request.on('error', reject);
    request.end(body);
    try {
      return await promise;
    } catch (cause) {
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message || codeOf(cause) : String(cause);
      throw new Error(`ask ${target.host}: ${reason}`, { cause });
    } finally {
      request.destroy();
    }
  },
};

async function read(response: Http.IncomingMessage): Promise<Posted> {
  const pieces: Buffer[] = [];
  let readBytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    readBytes += piece.length;
    if (readBytes >= POSTED_BYTES_MAX) break;
  }
  const seconds = /^\d{1,9}$/.exec(response.headers['retry-after'] ?? '')?.[0];
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(pieces).subarray(0, POSTED_BYTES_MAX).toString(),
    ...(seconds !== undefined && { retryAfterMs: Number(seconds) * 1000 }),
  };
}

/** Of several addresses that all refuse there is a code, and no message. */
function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
