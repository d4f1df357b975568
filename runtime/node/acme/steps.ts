import { type AcmeAccount, AcmeProblem } from '../../acme/acme.ts';
import type { Clock } from '../../clock.ts';
import type { DirectoryUrls } from './answers.ts';
import type { Call, Calls, SignedRequest } from './calls.ts';
import { retryAfterMs } from './headers.ts';
import { readSigningKey } from './jws.ts';
import { type Fields, parseFields, type UrlProblem } from './read-json.ts';
import type { Answer } from './transport.ts';
import { urlProblemFor } from './urls.ts';

/** What the steps of the protocol are made with. */
export interface StepPorts {
  readonly calls: Calls;
  readonly clock: Clock;
}

export type AsAccount = (request: {
  readonly url: string;
  /** Left out: POST-as-GET (RFC 8555 §6.3). */
  readonly payload?: object;
  readonly accept?: string;
  readonly bytesMax?: number;
}) => Promise<Answer>;

/** Runs one call of the port in the name of an account. */
export async function asAccount<Result>(
  { calls }: StepPorts,
  account: AcmeAccount,
  step: { readonly what: string; readonly signal: AbortSignal },
  work: (post: AsAccount, urls: DirectoryUrls, call: Call) => Promise<Result>,
): Promise<Result> {
  const { server, url: kid, keyPem } = account;
  return await calls.run(step.what, { server, signal: step.signal }, async (call, urls) => {
    const key = readSigningKey(keyPem);
    const post: AsAccount = (request) => {
      mayBeAsked(call, request.url);
      return calls.post(call, urls, { key, kid, ...request } satisfies SignedRequest);
    };
    return await work(post, urls, call);
  });
}

export function isProblem(error: unknown, type: string): boolean {
  return error instanceof AcmeProblem && error.document.type === type;
}

/** What an answer holds, where it is, and when to ask again. */
export function readAnswer(
  answer: Answer,
  { server }: Pick<Call, 'server'>,
  clock: Clock,
): {
  readonly fields: Fields;
  readonly urlProblem: UrlProblem;
  readonly retryAfterMs: number | undefined;
} {
  const urlProblem = urlProblemFor(server.directory);
  return {
    fields: parseFields(answer.body, urlProblem),
    urlProblem,
    retryAfterMs: retryAfterMs(answer.headers['retry-after'], clock.nowMs()),
  };
}

/** The URL of what was just made (RFC 8555 §7.3, §7.4). */
export function locationOf(answer: Answer, askedUrl: string, call: Pick<Call, 'server'>): string {
  const { location } = answer.headers;
  if (location === undefined || location.length > URL_CHARACTERS_MAX)
    throw new Error('the CA does not say where it is (Location)');
  if (!URL.canParse(location, askedUrl)) throw new Error('the Location is no URL');
  const { href } = new URL(location, askedUrl);
  mayBeAsked(call, href);
  return href;
}

export function mayBeAsked({ server }: Pick<Call, 'server'>, url: string): void {
  const problem = urlProblemFor(server.directory)(url);
  if (problem !== undefined) throw new Error(`what is to be asked ${problem}`);
}

const URL_CHARACTERS_MAX = 2_048;
