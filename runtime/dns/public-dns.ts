/** Types that a CA looks at, or that lead to what it looks at. */
export type PublicType = 'A' | 'AAAA' | 'CAA' | 'CNAME' | 'NS';

/**
 * What the world is told of names, as a port: the same questions that a CA asks before it issues.
 *
 * Guarantees: settles within a bound of its own, or soon after `signal` is aborted. Aliases are
 * followed, but when they are asked for.
 * Caveats: caches on the way may be behind by as long as they were told.
 * Errors: rejects when nobody could tell, which says nothing of the name.
 */
export interface PublicDns {
  /**
   * The records, as text: addresses; names without a final dot, lower case; CAA as
   * `0 issue letsencrypt.org`. Empty: there is no such name, or nothing of this type.
   */
  lookup(name: string, type: PublicType, signal: AbortSignal): Promise<readonly string[]>;
}
