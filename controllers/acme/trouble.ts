import { AcmeProblem, type AcmeProblemDocument } from '../../runtime/acme/acme.ts';
import type { AcmeOrderRecord } from '../../runtime/acme/records.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { CaUnreachableError } from './reaching.ts';

/** What a person is told is no longer than this. */
const MESSAGE_MAX = 1_000;

/** Why a step did not succeed, and whom that concerns. */
export interface Trouble {
  /**
   * `order`: the CA said no to it. `account`: it says no to whoever asks with this account.
   * `unreachable`: it could not be reached, or talks nonsense. `forgotten`: it has no such account.
   * `closed`: it has closed the account. `later`: not this order now, and it stays good.
   */
  readonly kind: 'order' | 'account' | 'unreachable' | 'forgotten' | 'closed' | 'later';
  /** One word, as `IssuanceFailure` has it. */
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  /** When `closed`: of the account; undefined: it was asked for by its key. */
  readonly accountUrl?: string | undefined;
}

/** This order cannot succeed, whatever the CA says; the message holds the mend. */
export class OrderError extends Error {
  override readonly name = 'OrderError';
  readonly reason: string;
  /** Names that the CA did not find proven. */
  readonly unproven: readonly string[];

  constructor(reason: string, message: string, unproven: readonly string[] = []) {
    super(message);
    this.reason = reason;
    this.unproven = unproven;
  }
}

/**
 * Pure. Undefined: the error is none of a CA's. `phase`: of the order that it was asked for; left
 * out: it was asked for something else.
 */
export function troubleOf(error: unknown, phase?: AcmeOrderRecord['phase']): Trouble | undefined {
  if (error instanceof OrderError) {
    const { reason, message } = error;
    return { kind: 'order', reason, message: cut(message), retryAfterMs: undefined };
  }
  if (error instanceof CaUnreachableError) {
    const message = cut(describeError(error));
    return { kind: 'unreachable', reason: 'unreachable', message, retryAfterMs: undefined };
  }
  if (!(error instanceof AcmeProblem)) return undefined;
  const { document, retryAfterMs } = error;
  return {
    kind: kindOf(document, phase),
    reason: document.type,
    message: problemText(document),
    retryAfterMs,
  };
}

/** The CA's problem document for a person: what it says of each name, too (RFC 8555 §6.7.1). */
export function problemText({ type, detail, subproblems = [] }: AcmeProblemDocument): string {
  const parts = subproblems.map((each) => `${each.name ?? 'a name'}: ${each.detail}`);
  return cut([`the CA says ${type}: ${detail}`, ...parts].join('; '));
}

function kindOf(
  { type, detail, status = 400 }: AcmeProblemDocument,
  phase: AcmeOrderRecord['phase'] | undefined,
): Trouble['kind'] {
  if (type === 'accountDoesNotExist') return 'forgotten';
  if (status >= 500 || ACCOUNT_TYPES.has(type)) return 'account';
  if (type !== 'rateLimited') return 'order';
  // RFC 8555 §6.6 leaves open what a limit is of. What is said of an order holds that order; only
  // what the CA says of all that the account asks for, or what is asked for no order, holds all.
  if (phase === undefined || OF_ACCOUNT.test(detail)) return 'account';
  // Placed again it would be counted again: one that was placed waits.
  return phase === 'placing' ? 'order' : 'later';
}

/**
 * As Let's Encrypt says it of all orders of an account. Of names that it has paused it says "Your
 * account is temporarily prevented from requesting certificates for …": others go on (INV-5).
 */
const OF_ACCOUNT = /\b(?:from this account|busy|load)\b/i;

/** RFC 8555 §6.7: not for what was asked, but for who asked, or for nothing of ours. */
const ACCOUNT_TYPES: ReadonlySet<string> = new Set([
  'badNonce',
  'serverInternal',
  'userActionRequired',
]);

/** What others have written is shown on terminals: nothing in it may steer them. */
export function cut(given: string): string {
  const text = given.replaceAll(/\p{Cc}+/gu, ' ');
  return text.length <= MESSAGE_MAX ? text : `${text.slice(0, MESSAGE_MAX - 1)}…`;
}
