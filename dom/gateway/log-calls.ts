import type { LogQuestion, LogReply } from '../../proto/gen/b8s/v1/logs.ts';

/** Hears what a node says of an access log. */
export interface LogListener {
  heard(reply: LogReply): void;
  /** Nothing more will come: the node's session is over. */
  ended(): void;
}

/** The access logs of one node that somebody reads. */
export class LogCalls {
  readonly #open = new Map<bigint, LogListener>();
  #next = 1n;

  /** What is returned ends it. */
  open(
    question: Omit<LogQuestion, 'id'>,
    listener: LogListener,
    wire: { readonly ask: (question: LogQuestion) => void; readonly stop: (id: bigint) => void },
  ): () => void {
    const id = this.#next;
    this.#next += 1n;
    this.#open.set(id, listener);
    wire.ask({ ...question, id });
    return () => {
      if (this.#open.delete(id)) wire.stop(id);
    };
  }

  answer(reply: LogReply): void {
    const listener = this.#open.get(reply.id);
    // Nothing comes after an error, and there is nothing to stop.
    if (reply.error !== '') this.#open.delete(reply.id);
    listener?.heard(reply);
  }

  end(): void {
    const listeners = [...this.#open.values()];
    this.#open.clear();
    for (const listener of listeners) listener.ended();
  }
}
