export interface Fetched {
  readonly status: number;
  /** Names in lower case. */
  header(name: string): string | undefined;
  /** The body; whoever does not read it to its end stops it. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * GET requests to servers of others, as a port.
 *
 * Guarantees: redirects are answers like others, never followed; a body comes as fast as it is read.
 * Errors: what keeps an answer from coming throws, with the server's name in the message.
 */
export interface Fetcher {
  get(
    url: string,
    options: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<Fetched>;
}
