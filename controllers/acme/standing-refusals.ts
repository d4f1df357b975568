import { type AcmeAccount, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RETRY_AFTER_MS_MAX } from './scene.ts';

/** A question of an account: "createOrder", of these names, say. */
export interface Question {
  readonly step: string;
  readonly account: Pick<AcmeAccount, 'url'>;
  readonly about: readonly string[];
}

/**
 * Refusals that said when to come back. Another Certificate of the same names, or whose order shares
 * an authorization, may be about to ask for just the same, and the store cannot tell it yet: until
 * then it is answered from here (INV-30).
 */
export class StandingRefusals {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #refusals = new Map<
    string,
    { readonly problem: AcmeProblem; readonly untilMs: number }
  >();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** What the CA said to it, with what is left of the time; undefined: it may be asked. */
  of(question: Question): AcmeProblem | undefined {
    const found = this.#refusals.get(keyOf(question));
    if (found === undefined) return undefined;
    const leftMs = found.untilMs - this.#clock.monotonicMs();
    return leftMs > 0 ? new AcmeProblem(found.problem.document, leftMs) : undefined;
  }

  heard(question: Question, problem: AcmeProblem): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { untilMs }] of this.#refusals)
      if (untilMs <= nowMs) this.#refusals.delete(key);
    const waitMs = Math.min(problem.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
    if (waitMs > 0) this.#refusals.set(keyOf(question), { problem, untilMs: nowMs + waitMs });
  }
}

function keyOf({ step, account, about }: Question): string {
  return JSON.stringify([step, account.url, about.toSorted()]);
}
