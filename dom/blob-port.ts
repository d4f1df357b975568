import { BLOBS_PATH, ERROR_HEADER } from '../runtime/node/https-dom.ts';
import type { PlainHandler, PlainResponse } from '../runtime/node/plain-http.ts';
import { RequestError, type RequestErrorCode } from '../runtime/request-error.ts';
import { handOut } from './blobs/hand-out.ts';
import type { Dom } from './dom.ts';

/**
 * `GET /blobs/<digest>`, from an offset if need be, for nodes with their certificates: what
 * FetchBlob gives, at a fraction of its work. All else is for `otherwise`.
 */
export function withBlobs(dom: Pick<Dom, 'leading'>, otherwise: PlainHandler): PlainHandler {
  return async (request) => {
    const { method, path, range, identity } = request;
    if (method !== 'GET' || !path.startsWith(BLOBS_PATH)) return otherwise(request);
    const wanted = { digest: path.slice(BLOBS_PATH.length), offsetBytes: offsetOf(range) };
    try {
      return found(await handOut(await dom.leading(), identity, wanted), wanted.offsetBytes);
    } catch (error) {
      if (error instanceof RequestError) return refusal(error);
      throw error;
    }
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

/** Without an identity nothing is kept open. */
function refusal({ code, message }: RequestError): PlainResponse {
  return {
    status: STATUSES[code] ?? 400,
    contentType: 'text/plain; charset=utf-8',
    headers: { [ERROR_HEADER]: code },
    body: `${message}\n`,
  };
}

const STATUSES: Readonly<Partial<Record<RequestErrorCode, number>>> = {
  NOT_FOUND: 404,
  PERMISSION_DENIED: 403,
  OUT_OF_RANGE: 416,
  UNAVAILABLE: 503,
};

/** Of `bytes=N-`, which is all that nodes ask for (RFC 9110 §14.1.2); else from the start. */
function offsetOf(range = ''): number {
  return Number(/^bytes=(\d{1,15})-$/u.exec(range)?.[1] ?? 0);
}
