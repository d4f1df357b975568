/**
 * Where a person or a pipe reads what a command says, as a port.
 *
 * Guarantees: `out` and `error` keep the order of their own writes.
 * Caveats: a reader that went away is reported once, by the process ending, not by an error here.
 */
export interface Terminal {
  /** Data: what a pipe wants. */
  out(text: string): void;
  /** Everything else: progress, warnings, errors. */
  error(text: string): void;
  /** Whether standard output is a terminal. */
  readonly outIsTerminal: boolean;
  /** Whether standard error is one: progress bars are drawn there. */
  readonly errorIsTerminal: boolean;
  /** Whether a question can be asked and answered. */
  readonly canAsk: boolean;
  /** Width in characters; 80 where there is none. */
  readonly columns: number;
  /** Whether colours are wanted: a terminal, and no `NO_COLOR` (no-color.org). */
  readonly colour: boolean;
  /** Asks `question`, true for an answer that begins with y. Never call it unless `canAsk`. */
  confirm(question: string): Promise<boolean>;
}
