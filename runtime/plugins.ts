/**
 * Programs that add commands, as a port: `b8sctl-NAME` somewhere on PATH.
 *
 * Guarantees: a name never leads out of the folders of PATH.
 */
export interface Plugins {
  /** The program of that name, as a path; the first on PATH counts. */
  find(name: string): Promise<string | undefined>;
  /** Every program on PATH whose name begins so, as paths, in the order of PATH, then by name. */
  list(prefix: string): Promise<readonly string[]>;
  /** Runs it on this terminal; resolves to its exit code. */
  run(path: string, args: readonly string[]): Promise<number>;
}
