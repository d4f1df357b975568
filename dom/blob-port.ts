import {
  BATCH_QUESTION_BYTES_MAX,
  encodeHeads,
  HEADS_HEADER,
  parseQuestion,
} from '../runtime/content/small-blobs.ts';
import { BLOBS_PATH } from '../runtime/node/https-dom.ts';
import type { PlainHandler, PlainRequest, PlainResponse } from '../runtime/node/plain-http.ts';
import { RequestError } from '../runtime/request-error.ts';
import { handOut, handOutSmall } from './blobs/hand-out.ts';
import type { Dom } from './dom.ts';
import { answerRefusals } from './refusal.ts';

/** For a question for several blobs to come in whole. */
const QUESTION_MS = 10_000;

/**
 * For nodes with their certificates: `GET /blobs/<digest>`, from an offset if need be, what
 * FetchBlob gives at a fraction of its work; and `POST /blobs/` for several small ones at once, with
 * a digest on each line. All else is for `otherwise`.
 */
export function withBlobs(dom: Pick<Dom, 'leading'>, otherwise: PlainHandler): PlainHandler {
  return async (request) => {
    const { method, path, range, identity } = request;
    const isBatch = method === 'POST' && path === BLOBS_PATH;
    if (!isBatch && (method !== 'GET' || !path.startsWith(BLOBS_PATH))) return otherwise(request);
    const wanted = { digest: path.slice(BLOBS_PATH.length), offsetBytes: offsetOf(range) };
    return answerRefusals(async () => {
      if (isBatch) return several(dom, request);
      return found(await handOut(await dom.leading(), identity, wanted), wanted.offsetBytes);
    });
  };
}

function found(
  { sizeBytes, chunks }: Awaited<ReturnType<typeof handOut>>,
  start: number,
): PlainResponse {
  const body = { sizeBytes: sizeBytes - start, chunks };
  const contentType = 'application/octet-stream';
  const common = { contentType, body, connection: 'open' } as const;
  if (start === 0) return { ...common, status: 200 };
  const headers = { 'content-range': `bytes ${start}-${sizeBytes - 1}/${sizeBytes}` };
  return { ...common, status: 206, headers };
}

async function several(
  dom: Pick<Dom, 'leading'>,
  { identity, body }: PlainRequest,
): Promise<PlainResponse> {
  // Before anything is read: what strangers send is not kept.
  if (identity?.kind !== 'node') throw new RequestError('PERMISSION_DENIED', 'blobs are for nodes');
  const question = await body({ bytesMax: BATCH_QUESTION_BYTES_MAX, timeoutMs: QUESTION_MS });
  const digests = typeof question === 'string' ? undefined : parseQuestion(question);
  if (digests === undefined)
    throw new RequestError('INVALID_ARGUMENT', 'a question has a digest on each line');
  const { heads, bytes, end } = await handOutSmall(await dom.leading(), identity, digests);
  const headers = { [HEADS_HEADER]: encodeHeads(heads) };
  const contentType = 'application/octet-stream';
  return { status: 200, contentType, headers, body: bytes, connection: 'open', onEnd: end };
}

/** Of `bytes=N-`, which is all that nodes ask for (RFC 9110 §14.1.2); else from the start. */
function offsetOf(range = ''): number {
  return Number(/^bytes=(\d{1,15})-$/u.exec(range)?.[1] ?? 0);
}
