import type { HttpAnswer, HttpRequest } from '../../runtime/http.ts';
import type { EdgeResponse } from './http/response.ts';
import { bytesOf, inPieces, isPieces, measured } from './measured.ts';
import { type Counter, countAnswer, countBytes } from './traffic.ts';

type Body = HttpAnswer['body'];

/** Of those that are noted: what is longer is sent in pieces, so that it shows who leaves early. */
const WHOLE_BYTES_MAX = 64 * 1024;

/**
 * The body of an answer as it is to be sent, so that what was sent of it is counted, and noted where
 * its site wants that. `startMs`: when the request came, undefined: just now.
 */
export function seeOff(
  request: HttpRequest,
  { counter, status, body: wanted }: EdgeResponse,
  body: Body,
  startMs?: number,
): Body {
  if (counter === undefined) return body;
  const { notes } = counter;
  const sent = notes !== undefined && wanted.kind === 'blob' ? divisible(body) : body;
  if (!isPieces(sent)) {
    const bytes = bytesOf(sent);
    countBytes(counter, bytes);
    notes?.note(request, { status, bytes, ending: 'whole', startMs: startMs ?? notes.nowMs() });
    return sent;
  }
  const fromMs = startMs ?? notes?.nowMs() ?? 0;
  return measured(sent, (bytes, ending) => {
    countBytes(counter, bytes);
    notes?.note(request, { status, bytes, ending, startMs: fromMs });
  });
}

/** The same for a request whose body was refused, whatever its address: the sentence that it got. */
export function seeOffRefused(
  request: HttpRequest,
  { status, body }: HttpAnswer,
  counter: Counter | undefined,
): void {
  countAnswer(counter, status);
  const sent = request.method === 'HEAD' || typeof body !== 'string' ? undefined : body;
  const shown = sent === undefined ? NO_BODY : ({ kind: 'text', text: sent } as const);
  seeOff(request, { status, headers: [], body: shown, counter }, sent);
}

const NO_BODY = { kind: 'none' } as const;

function divisible(body: Body): Body {
  return body instanceof Uint8Array && body.length > WHOLE_BYTES_MAX ? inPieces(body) : body;
}
