export interface ProbeTarget {
  /** The node's name, for logs and simulations. */
  readonly node: string;
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  readonly httpPort: number;
}

/** Where an edge says that it serves. Any 200 will do. */
export const HEALTH_PATH = '/.well-known/b8s/health';

/**
 * Asks an edge over the network whether it serves, as a port: an HTTP GET in production.
 *
 * Guarantees: resolves within the prober's timeout, or soon after `signal` is aborted (as false).
 * Caveats: false says "not from here, not now": the path may be broken rather than the edge.
 * Errors: none; whatever goes wrong is false.
 */
export interface Probe {
  probe(target: ProbeTarget, signal: AbortSignal): Promise<boolean>;
}
