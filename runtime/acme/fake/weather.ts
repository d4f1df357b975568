import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import { AcmeProblem } from '../acme.ts';

/** What can befall one request. */
export type FakeAcmeFault =
  /** It never arrives. */
  | 'unreachable'
  /** It takes effect, but nobody hears of it. */
  | 'lost'
  /** 503, before it takes effect. */
  | 'serverError'
  /** 429, for no reason that could be counted. */
  | 'rateLimited'
  /** However often it is tried again. */
  | 'badNonce'
  /** It takes effect, and the answer is no ACME. */
  | 'nonsense'
  /** An answer with other names in it, where it has names. */
  | 'wrongNames'
  /** No answer within the bound of a call. */
  | 'hangs';

/** What can be wrong with a certificate that a CA hands out. */
export type FakeAcmeFlaw = 'wrongNames' | 'otherKey' | 'expired' | 'notYetValid' | 'brokenChain';

/** How a CA fares: shares of requests, 0 to 1. */
export interface FakeAcmeWeather {
  readonly faults: Readonly<Partial<Record<FakeAcmeFault, number>>>;
  /** Of the certificates. */
  readonly flaws: Readonly<Partial<Record<FakeAcmeFlaw, number>>>;
  /** Every request takes between nothing and this. */
  readonly slowMsMax: number;
  /** When it says that it is busy, it asks for at most so long; left out: ten minutes. */
  readonly retryAfterMsMax?: number;
}

export const CALM: FakeAcmeWeather = { faults: {}, flaws: {}, slowMsMax: 0 };

/** What a request is given up after, as by the real adapter. */
const CALL_TIMEOUT_MS = 30_000;
/** What the CA says of when to come back. */
const RETRY_AFTER_MS_MAX = 600_000;

/** Runs one request through the weather. */
export async function throughWeather<Answer>(
  request: {
    /** What was asked, for errors. */
    readonly step: string;
    readonly directory: string;
    readonly signal: AbortSignal;
    readonly fault: FakeAcmeFault | undefined;
    readonly weather: Pick<FakeAcmeWeather, 'slowMsMax' | 'retryAfterMsMax'>;
  },
  ports: { readonly clock: Clock; readonly random: Random },
  effect: () => Promise<Answer>,
): Promise<Answer> {
  const { step, directory, signal, fault, weather } = request;
  const { slowMsMax, retryAfterMsMax = RETRY_AFTER_MS_MAX } = weather;
  const { clock, random } = ports;
  const what = `${step} at ${directory}`;
  signal.throwIfAborted();
  if (slowMsMax > 0) await clock.sleep(random.next() * slowMsMax, signal);
  if (fault === 'hangs') {
    await clock.sleep(CALL_TIMEOUT_MS, signal);
    throw new Error(`${what}: no answer within ${CALL_TIMEOUT_MS} ms`);
  }
  if (fault === 'unreachable') throw new Error(`${what}: connection refused`);
  const refused = refusal(fault, { random, retryAfterMsMax });
  if (refused !== undefined) throw refused;
  const answer = await effect();
  if (fault === 'lost') throw new Error(`${what}: connection reset`);
  if (fault === 'nonsense') throw new Error(`${what}: the answer is no ACME`);
  return answer;
}

/** The first whose share is drawn; a share of nothing draws no random number. */
export function drawOne<Name extends string>(
  shares: Readonly<Partial<Record<Name, number>>>,
  random: Random,
): Name | undefined {
  const names = (Object.keys(shares) as Name[]).toSorted();
  return names.find((name) => {
    const share = shares[name] ?? 0;
    return share > 0 && random.next() < share;
  });
}

function refusal(
  fault: FakeAcmeFault | undefined,
  { random, retryAfterMsMax }: { readonly random: Random; readonly retryAfterMsMax: number },
): AcmeProblem | undefined {
  if (fault === 'badNonce')
    return new AcmeProblem({ type: 'badNonce', detail: 'JWS has an invalid nonce', status: 400 });
  if (fault !== 'serverError' && fault !== 'rateLimited') return undefined;
  const waitMs = Math.round(random.next() * retryAfterMsMax);
  const document =
    fault === 'serverError'
      ? { type: 'serverInternal', detail: 'The service is down for maintenance', status: 503 }
      : { type: 'rateLimited', detail: 'Service busy; retry later', status: 429 };
  // Half of the time the CA says when to come back.
  return new AcmeProblem(document, waitMs % 2 === 0 ? waitMs : undefined);
}
