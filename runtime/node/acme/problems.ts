import { AcmeProblem, type AcmeProblemDocument } from '../../acme/acme.ts';
import { readProblem } from './answers.ts';
import { retryAfterMs } from './headers.ts';
import { parseFields } from './read-json.ts';
import type { Answer } from './transport.ts';

/** What an answer of 400 and above says, also when it says it in a page of HTML. */
export function problemOf(answer: Answer, nowMs: number): AcmeProblem {
  const { status, headers } = answer;
  const said = readDocument(answer.body);
  const unsaid = withoutWords(status);
  // A document without a type says no more than the status (RFC 9457 §4.2.1).
  const type = said === undefined || said.type === 'about:blank' ? unsaid.type : said.type;
  const document = { ...unsaid, ...said, type, status };
  return new AcmeProblem(document, retryAfterMs(headers['retry-after'], nowMs));
}

function readDocument(body: Uint8Array): AcmeProblemDocument | undefined {
  try {
    return readProblem(parseFields(body, () => undefined));
  } catch {
    return undefined;
  }
}

/** Proxies in front of a CA answer so when they or the CA have too much to do. */
function withoutWords(status: number): AcmeProblemDocument {
  const type = status === 429 ? 'rateLimited' : status >= 500 ? 'serverInternal' : 'about:blank';
  return { type, detail: `HTTP status ${status}, and the CA gives no reason` };
}
