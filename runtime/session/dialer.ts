import type { Link } from './link.ts';

/**
 * The way to dom, as a port: gRPC over mutual TLS in production.
 *
 * Caveats: a link may be given before dom is known to be there; its frames then tell.
 * Errors: rejects with `LinkClosedError`, or with the signal's reason.
 */
export interface Dialer {
  /** How many doms there are to dial, one after the other; left out: one. */
  readonly doms?: number;
  dial(signal: AbortSignal): Promise<Link>;
}
