/** Plain data for one log line; never secrets (INV-33). */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging, as a port: pino in production, the trace in simulation.
 *
 * Guarantees: never throws, never blocks the caller on a slow sink.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log whose every line carries `fields` too. */
  child(fields: LogFields): Log;
}

/** A log that keeps nothing, for tests. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
