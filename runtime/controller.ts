import type { WorldChange } from './world.ts';

/** `settled`: nothing to do until something changes. */
export type Outcome = 'settled' | { readonly recheckInMs: number };

/** Retrying will not help; the message says what a person must do. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/**
 * Brings one thing to what is declared. It is given a name, never an event: whatever happened, and
 * however often, it reads all it needs, decides once and writes conditionally. So lost, repeated
 * and reordered events cannot matter.
 */
export interface Controller {
  /** One word: metrics, logs and events carry it. */
  readonly name: string;
  /** Which names a change concerns. Pure. */
  affected(change: WorldChange): readonly string[];
  /** Throws an operating failure to be retried with backoff, a TerminalError not to be. */
  reconcile(name: string, signal: AbortSignal): Promise<Outcome>;
}
