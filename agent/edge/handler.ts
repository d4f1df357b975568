import type { Clock } from '../../runtime/clock.ts';
import type {
  AnswerMemo,
  HttpAnswer,
  HttpHandler,
  HttpHeaders,
  HttpRequest,
} from '../../runtime/http.ts';
import type { Log } from '../../runtime/log.ts';
import { admit } from './admit.ts';
import { AnswerCache } from './blobs/answer-cache.ts';
import type { BlobSource } from './blobs/blob-source.ts';
import { openBody } from './blobs/open-body.ts';
import type { Gate } from './gate.ts';
import type { EdgeResponse } from './http/response.ts';
import { respond } from './respond.ts';
import { seeOff } from './see-off.ts';
import type { EdgeTable } from './site-table.ts';
import { countAnswer, countLate } from './traffic.ts';

export interface HandlerParts {
  readonly openBlob: BlobSource;
  readonly log: Log;
  readonly gate: Gate | undefined;
  /** Undefined: nothing is timed. */
  readonly clock: Pick<Clock, 'monotonicMs'> | undefined;
}

/**
 * Joins the pure answer with the bytes it names, and counts it. An answer that needs nothing but
 * memory begins in the turn that reads its request, and no clock is read for it.
 */
export function createHandler(
  table: () => EdgeTable,
  { openBlob, log, gate, clock }: HandlerParts,
): HttpHandler {
  const answers = new AnswerCache(respond);
  /** `lentBytesMax`: see `BlobSource`; for an answer in the turn of its request alone. */
  function join(
    request: HttpRequest,
    { startMs, lentBytesMax }: Pick<Begun, 'startMs' | 'lentBytesMax'>,
  ): HttpAnswer | Promise<HttpAnswer> {
    const { response, memo } = answers.find(request, table());
    const { check } = response;
    if (check === undefined) return send(request, response, { memo, startMs, lentBytesMax });
    const again = (granted: string): EdgeResponse => respond(request, table(), granted);
    const begun = { startMs: startMs ?? clock?.monotonicMs() };
    const admitted = admit(gate, { request, response, check, again });
    return admitted instanceof Promise
      ? admitted.then((each) => send(request, each, begun))
      : send(request, admitted, begun);
  }
  function send(
    request: HttpRequest,
    response: EdgeResponse,
    begun: Begun,
  ): HttpAnswer | Promise<HttpAnswer> {
    const opened = openBody(response.body, openBlob, begun.lentBytesMax);
    if (!(opened instanceof Promise)) return finish(request, response, opened, begun);
    const startMs = begun.startMs ?? clock?.monotonicMs();
    const late = { ...begun, startMs };
    return opened.then(
      (body) => finish(request, response, body, late),
      (error: unknown) => {
        // A compressed form is never needed: the file as it is does.
        const isForm = response.headers.some(([name]) => name === 'content-encoding');
        if (isForm) return join(asItIs(request), { startMs });
        const { headers: instead, counter } = response;
        const { status, headers, text } = unreadable(error, { log, instead });
        const body = { kind: 'text', text } as const;
        return finish(request, { status, headers, body, counter }, text, { startMs });
      },
    );
  }
  function finish(
    request: HttpRequest,
    response: EdgeResponse,
    opened: HttpAnswer['body'],
    { memo, startMs }: Begun,
  ): HttpAnswer {
    const { status, headers, counter } = response;
    countAnswer(counter, status);
    if (startMs !== undefined && clock !== undefined)
      countLate(counter, clock.monotonicMs() - startMs);
    const body = seeOff(request, response, opened, startMs);
    return memo === undefined ? { status, headers, body } : { status, headers, body, memo };
  }
  return (request) => join(request, { lentBytesMax: request.copiedBytesMax });
}

/** What is known of an answer before it can be sent. */
interface Begun {
  readonly memo?: AnswerMemo | undefined;
  /** When it was begun, if it had to wait; by the monotonic clock. */
  readonly startMs?: number | undefined;
  readonly lentBytesMax?: number | undefined;
}

function asItIs(request: HttpRequest): HttpRequest {
  const { memo: _ofOtherHeaders, ...rest } = request;
  return { ...rest, headers: { ...request.headers, 'accept-encoding': undefined } };
}

/** Another node may have the bytes: 503 lets clients and monitors try again. */
function unreadable(
  error: unknown,
  { log, instead }: { readonly log: Log; readonly instead: HttpHeaders },
): { readonly status: number; readonly headers: HttpHeaders; readonly text: string } {
  log.error({ error: String(error) }, 'a file could not be read');
  const headers: HttpHeaders = [
    // A preview is left out by search engines whatever it says.
    ...instead.filter(([name]) => name === 'x-robots-tag'),
    ['content-type', 'text/plain;charset=utf-8'],
    ['cache-control', 'no-store'],
    ['retry-after', '5'],
  ];
  return { status: 503, headers, text: 'The file could not be read.\n' };
}
