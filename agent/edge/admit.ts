import type { HttpRequest } from '../../runtime/http.ts';
import type { Gate, Verdict } from './gate.ts';
import { type EdgeResponse, page } from './http/response.ts';
import type { AccessCheck } from './rules/access.ts';

/** A request that was refused as long as nobody has looked at its password. */
export interface Refused {
  readonly request: Pick<HttpRequest, 'address'>;
  readonly response: EdgeResponse;
  readonly check: AccessCheck;
  /** Answers it anew, with the hash that its password was found right against. */
  readonly again: (granted: string) => EdgeResponse;
}

/** The answer once its password was looked at. `gate` undefined: nobody can. */
export function admit(
  gate: Gate | undefined,
  { request, response, check, again }: Refused,
): EdgeResponse | Promise<EdgeResponse> {
  const answer = (verdict: Verdict): EdgeResponse => {
    if (verdict === 'granted') return again(check.hash);
    return verdict === 'refused' ? response : { ...tooMany(), counter: response.counter };
  };
  const verdict = gate?.check(check, request.address ?? '') ?? 'busy';
  return verdict instanceof Promise ? verdict.then(answer) : answer(verdict);
}

/** RFC 6585 §4. */
function tooMany(): EdgeResponse {
  const sentence = 'Too many passwords were wrong. Try again in a minute.';
  return page(429, 'Too Many Requests', sentence, [['retry-after', '60']]);
}
