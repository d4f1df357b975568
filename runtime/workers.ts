/** One worker that runs, or ran. `In` is what it is told, `Out` what it says: plain data. */
export interface WorkerHandle<In, Out> {
  /** After the worker's end: dropped. */
  post(message: In): void;
  onMessage(listener: (message: Out) => void): void;
  /** Called once, with why, for a person. */
  onExit(listener: (reason: string) => void): void;
  /** Ends it at once, whatever it is doing; `onExit` follows. */
  terminate(): void;
}

/**
 * Starts workers, as a port: threads of this process in production.
 *
 * Guarantees: messages arrive in order, and before the exit that follows them; a worker that fails
 * takes nobody else down.
 * Errors: a worker that cannot be started exits at once.
 */
export interface Workers<Kind extends string, In, Out> {
  spawn(kind: Kind, index: number): WorkerHandle<In, Out>;
}
