import { readMessages } from '../runtime/content/upload-messages.ts';
import { CutBodyError } from '../runtime/node/body-pieces.ts';
import { UPLOADS_PATH } from '../runtime/node/https-upload.ts';
import type { PlainHandler, PlainRequest, PlainResponse } from '../runtime/node/plain-http.ts';
import { RequestError } from '../runtime/request-error.ts';
import type { Dom } from './dom.ts';
import { answerRefusals } from './refusal.ts';

/** A push that sends nothing for so long is over; its b8sctl may be waiting for a registry. */
const IDLE_MS = 300_000;

/** As over gRPC. */
const STRANGER = 'no client certificate of this cluster was shown';

/**
 * For b8sctl: `POST /uploads/` takes what UploadBlob does, by the same rules, at a fraction of its
 * work. All else is for `otherwise`.
 */
export function withUploads(dom: Pick<Dom, 'leading'>, otherwise: PlainHandler): PlainHandler {
  return async (request) => {
    const { method, path } = request;
    if (method !== 'POST' || path !== UPLOADS_PATH) return otherwise(request);
    const answer = await answerRefusals(() => receive(dom, request));
    // To close it at once might cut the answer off before that is read: what b8sctl sends until it has
    // seen it is thrown away.
    return request.identity === undefined ? answer : { ...answer, connection: 'open' };
  };
}

async function receive(
  dom: Pick<Dom, 'leading'>,
  { identity, pieces }: PlainRequest,
): Promise<PlainResponse> {
  // Before anything else: strangers learn nothing, not even who leads.
  if (identity === undefined) throw new RequestError('UNAUTHENTICATED', STRANGER);
  const { api, blobs } = await dom.leading();
  const messages = readMessages(pieces({ idleMs: IDLE_MS }), blobs.memory);
  try {
    await api.uploadBlob(messages, { identity }, 'http');
  } catch (error) {
    if (!(error instanceof CutBodyError)) throw error;
    throw new RequestError('UNAVAILABLE', 'the upload was cut, or fell silent: push again');
  }
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: '' };
}
