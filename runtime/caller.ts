import type { Identity } from './tls/authority.ts';

/** Who calls a service. */
export interface Caller {
  /** From the caller's client certificate; undefined: it showed none. */
  readonly identity: Identity | undefined;
  /** "address:port", for logs. */
  readonly peer: string;
}
