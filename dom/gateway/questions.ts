import type { ExplainQuestion, ExplainReply } from '../../proto/gen/b8s/v1/agent.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RequestError } from '../../runtime/request-error.ts';

export const EXPLAIN_TIMEOUT_MS = 5_000;
/** A stuck node shall not make dom remember questions without bound. */
const QUESTIONS_MAX = 64;

/** The questions to one node that are still open. */
export class Questions {
  readonly #open = new Map<bigint, (reply: ExplainReply) => void>();
  readonly #node: string;
  readonly #clock: Clock;
  #next = 1n;

  constructor(node: string, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** Sends the question and waits for its answer. Throws UNAVAILABLE when none comes in time. */
  async ask(
    question: Omit<ExplainQuestion, 'id'>,
    send: (question: ExplainQuestion) => void,
    signal: AbortSignal,
  ): Promise<ExplainReply> {
    if (this.#open.size >= QUESTIONS_MAX) throw busy(this.#node);
    const id = this.#next;
    this.#next += 1n;
    const done = new AbortController();
    const answered = new Promise<ExplainReply>((resolve) => this.#open.set(id, resolve));
    const late = this.#clock
      .sleep(EXPLAIN_TIMEOUT_MS, AbortSignal.any([done.signal, signal]))
      .catch(() => undefined)
      .then(() => {
        const why = `${this.#node} did not answer within ${EXPLAIN_TIMEOUT_MS} ms`;
        throw new RequestError('UNAVAILABLE', why);
      });
    late.catch(() => undefined);
    send({ ...question, id });
    try {
      return await Promise.race([answered, late]);
    } finally {
      done.abort();
      this.#open.delete(id);
    }
  }

  answer(reply: ExplainReply): void {
    this.#open.get(reply.id)?.(reply);
  }
}

export function busy(node: string): RequestError {
  return new RequestError('UNAVAILABLE', `${node} is busy: ask again in a moment`);
}
