/**
 * Time, as a port.
 *
 * Guarantees: `monotonicMs` never goes back; `sleep` resolves no earlier than asked.
 * Assumptions: wall time (`nowMs`) may jump either way and differ between hosts.
 * Caveats: compare `monotonicMs` values of one process only.
 * Errors: `sleep` rejects with the signal's reason when it is aborted.
 */
export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds since an arbitrary point; for durations and deadlines. */
  monotonicMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
