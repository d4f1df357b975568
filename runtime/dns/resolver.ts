export interface ResolvedAddresses {
  /** Text of IPv4 or IPv6 addresses; empty: no such name, or none of this family. */
  readonly addresses: readonly string[];
  /** How long that holds; undefined: nobody said. */
  readonly ttlS: number | undefined;
}

/**
 * Asks for the addresses of names that other people's servers answer for, as a port: the resolvers
 * of this machine in production.
 *
 * Guarantees: settles within a bound of its own, or soon after `signal` is aborted. Aliases are
 * followed.
 * Assumptions: whoever is asked is trusted as far as the machine's own look-ups are.
 * Errors: rejects when nobody could tell, which says nothing of the name.
 */
export interface Resolver {
  /** `name` in presentation format, without a final dot. */
  addresses(name: string, family: 'A' | 'AAAA', signal: AbortSignal): Promise<ResolvedAddresses>;
}
