/** What somebody is told by HTTP. */
export interface Posting {
  /** https, or http. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** PEM of the CAs to trust in place of the system's; undefined: the system's. */
  readonly caBundle?: string | undefined;
}

export interface Posted {
  readonly status: number;
  /** The start of the answer, as text: at most POSTED_BYTES_MAX. */
  readonly text: string;
  /** The header `Retry-After`, if it is a number of seconds. */
  readonly retryAfterMs?: number;
}

export const POSTED_BYTES_MAX = 4_096;

/**
 * POST requests to servers of others, as a port.
 *
 * Guarantees: redirects are answers like others, never followed; no more of an answer is read than
 * is given; each request has a connection of its own, and ends soon after its signal is aborted.
 * Errors: what keeps an answer from coming throws, with the server's name in the message and nothing
 * else of the URL, which may be a secret.
 */
export interface Poster {
  post(posting: Posting, signal: AbortSignal): Promise<Posted>;
}
