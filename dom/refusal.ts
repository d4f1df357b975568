import { ERROR_HEADER } from '../runtime/node/https-dom.ts';
import type { PlainResponse } from '../runtime/node/plain-http.ts';
import { RequestError, type RequestErrorCode } from '../runtime/request-error.ts';

/** What `answer` says, or why it refuses to. */
export async function answerRefusals(answer: () => Promise<PlainResponse>): Promise<PlainResponse> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof RequestError) return refusal(error);
    throw error;
  }
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
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  ABORTED: 409,
  OUT_OF_RANGE: 416,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
};
