import { createHash } from 'node:crypto';
import type { AcmeAccount, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { FakeAcmeStep } from '../../runtime/acme/fake/state.ts';
import type { CaRefusal, CaRequest } from '../check/check.ts';

/** A process of dom that asks CAs. */
export interface AskingProcess {
  /** Where it runs. */
  readonly host: string;
  /** "dom-1#2". */
  readonly process: string;
  /** How far its wall clock is ahead by now. */
  readonly aheadMs: () => number;
  /** Told of each request that has changed something at a CA, in words, before its answer travels back. */
  readonly onEffect: (what: string) => void;
}

/** The others only read. */
const CHANGING: ReadonlySet<FakeAcmeStep> = new Set([
  ...(['register', 'updateContact', 'changeKey', 'createOrder'] as const),
  ...(['answerChallenge', 'finalize', 'revoke'] as const),
]);

/** Whether the CA is another one afterwards. */
export function isChanging(step: FakeAcmeStep): boolean {
  return CHANGING.has(step);
}

/** What was asked, without any key in it. */
export function requestOf(
  { process, aheadMs }: AskingProcess,
  directory: string,
  { step, args }: { readonly step: FakeAcmeStep; readonly args: readonly unknown[] },
): CaRequest {
  const [by, what] = args as readonly [Partial<AcmeAccount>, unknown];
  const account = by.url;
  const given = JSON.stringify([directory, step, account, target(step, what)]);
  const key = `${step} ${createHash('sha256').update(given).digest('hex')}`;
  return { directory, process, step, key, account, aheadMs: aheadMs() };
}

/** Of an order, what it is for: when it is asked again, that is the same request. */
function target(step: FakeAcmeStep, what: unknown): unknown {
  if (step !== 'createOrder') return what instanceof AbortSignal ? undefined : what;
  const { names } = what as { readonly names: readonly string[] };
  return names.toSorted();
}

export function refusalOf({ document, retryAfterMs }: AcmeProblem): CaRefusal {
  const { type, detail, status = 400 } = document;
  return { type, detail, status, retryAfterMs };
}
