import { AcmeProblem, type AcmeServer } from '../../acme/acme.ts';
import type { Clock } from '../../clock.ts';
import { type DirectoryUrls, readDirectory } from './answers.ts';
import { nonceOf } from './headers.ts';
import { type SigningKey, signJws } from './jws.ts';
import { createNoncePool } from './nonces.ts';
import { problemOf } from './problems.ts';
import { parseFields } from './read-json.ts';
import type { Answer, Transport } from './transport.ts';
import { urlProblemFor, withoutPassword } from './urls.ts';

/** One call of the port: what is being done, for errors, and until when. */
export interface Call {
  readonly server: AcmeServer;
  readonly signal: AbortSignal;
}

export interface SignedRequest {
  readonly url: string;
  readonly key: SigningKey;
  /** The account's URL; left out: the CA is to know the key itself (RFC 8555 §6.2). */
  readonly kid?: string;
  /** Left out: POST-as-GET. */
  readonly payload?: object;
  readonly accept?: string;
  readonly bytesMax?: number;
}

/** Requests to CAs, with what has to be remembered between them to be polite: nonces, directories. */
export interface Calls {
  /** Runs one call of the port within its time; its errors say what was being done and where. */
  run<Result>(
    what: string,
    call: Call,
    work: (call: Call, urls: DirectoryUrls) => Promise<Result>,
  ): Promise<Result>;
  /** Throws `AcmeProblem` for what the CA refuses. */
  post(call: Call, urls: DirectoryUrls, request: SignedRequest): Promise<Answer>;
  get(call: Call, url: string): Promise<Answer>;
}

export const JSON_BYTES_MAX = 64 * 1024;
export const CALL_TIMEOUT_MS = 30_000;
/**
 * With every second nonce refused, as Pebble does on request, all of 30 are in one call of 10⁹. The
 * first tries follow one another at once, the others ever slower: then something else is wrong.
 */
export const NONCE_TRIES_MAX = 30;
const QUICK_TRIES = 8;
const PAUSE_STEP_MS = 50;
const DIRECTORY_KEPT_MS = 10 * 60_000;
const DIRECTORIES_MAX = 16;

export function createCalls(ports: {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly callTimeoutMs?: number;
}): Calls {
  const { transport, clock, callTimeoutMs = CALL_TIMEOUT_MS } = ports;
  const nonces = createNoncePool(clock);
  const directories = new Map<string, { readonly urls: DirectoryUrls; readonly untilMs: number }>();

  async function get({ server, signal }: Call, url: string): Promise<Answer> {
    const bytesMax = JSON_BYTES_MAX;
    return checked(await transport.send({ server, method: 'GET', url, bytesMax, signal }), clock);
  }

  async function directory(call: Call): Promise<DirectoryUrls> {
    const { server } = call;
    const key = `${server.directory} ${server.caPem ?? ''}`;
    const kept = directories.get(key);
    if (kept !== undefined && clock.monotonicMs() < kept.untilMs) return kept.urls;
    const urlProblem = urlProblemFor(server.directory);
    const problem = urlProblem(server.directory);
    if (problem !== undefined) throw new Error(`the directory's URL ${problem}`);
    const { body } = await get(call, server.directory);
    const urls = readDirectory(parseFields(body, urlProblem));
    directories.delete(key);
    directories.set(key, { urls, untilMs: clock.monotonicMs() + DIRECTORY_KEPT_MS });
    const [oldest] = directories.keys();
    if (directories.size > DIRECTORIES_MAX && oldest !== undefined) directories.delete(oldest);
    return urls;
  }

  async function newNonce({ server, signal }: Call, urls: DirectoryUrls): Promise<string> {
    const [url, bytesMax] = [urls.newNonce, JSON_BYTES_MAX];
    const answer = await transport.send({ server, method: 'HEAD', url, bytesMax, signal });
    const nonce = nonceOf(checked(answer, clock).headers['replay-nonce']?.toString());
    if (nonce === undefined) throw new Error('the CA gave no nonce');
    return nonce;
  }

  async function post(call: Call, urls: DirectoryUrls, request: SignedRequest): Promise<Answer> {
    const { server, signal } = call;
    const { url, key, kid, payload, accept, bytesMax = JSON_BYTES_MAX } = request;
    const identity = kid === undefined ? { jwk: key.jwk } : { kid };
    let nonce = nonces.take(urls.newNonce) ?? (await newNonce(call, urls));
    for (let tries = 1; ; tries += 1) {
      const body = JSON.stringify(signJws(key, { ...identity, nonce, url }, payload));
      const sent = { server, method: 'POST', url, body, bytesMax, signal } as const;
      const answer = await transport.send(accept === undefined ? sent : { ...sent, accept });
      // RFC 8555 §6.5: the answer that refuses a nonce brings one that will do.
      const fresh = nonceOf(answer.headers['replay-nonce']?.toString());
      const problem = refusalOf(answer, clock);
      if (problem?.document.type !== 'badNonce' || tries >= NONCE_TRIES_MAX) {
        nonces.put(urls.newNonce, fresh);
        if (problem !== undefined) throw problem;
        return answer;
      }
      if (tries >= QUICK_TRIES) await clock.sleep((tries - QUICK_TRIES) * PAUSE_STEP_MS, signal);
      nonce = fresh ?? (await newNonce(call, urls));
    }
  }

  return {
    get,
    post,
    async run(what, { server, signal }, work) {
      signal.throwIfAborted();
      const timeout = AbortSignal.timeout(callTimeoutMs);
      const call = { server, signal: AbortSignal.any([signal, timeout]) };
      try {
        return await work(call, await directory(call));
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof AcmeProblem) throw error;
        const cause = timeout.aborted
          ? new Error(`no answer within ${callTimeoutMs / 1000} s`)
          : error;
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${what} at ${withoutPassword(server.directory)}: ${why}`, { cause });
      }
    },
  };
}

/** Undefined: it is a success. Throws for a redirect: who is asked is for the directory to say. */
function refusalOf(answer: Answer, clock: Clock): AcmeProblem | undefined {
  const { status } = answer;
  if (status >= 400) return problemOf(answer, clock.nowMs());
  if (status >= 200 && status < 300) return undefined;
  throw new Error(`the CA answers with HTTP status ${status}, which is not followed`);
}

function checked(answer: Answer, clock: Clock): Answer {
  const problem = refusalOf(answer, clock);
  if (problem !== undefined) throw problem;
  return answer;
}
