/** A request as a server sees it, without its body: none is ever accepted. */
export interface HttpRequest {
  /** As sent: `GET`. */
  readonly method: string;
  /** The request target as sent, with its query, still percent-encoded: `/a%20b?c`. */
  readonly path: string;
  /** `Host` or `:authority` as sent, with its port if any; empty: not sent. */
  readonly host: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Whether it came over TLS. */
  readonly secure: boolean;
}

/** What a server sends back. A piece-wise body must come to exactly its `content-length`. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: HttpHeaders;
  /** Undefined: none. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

export type HttpHeaders = readonly (readonly [name: string, value: string])[];

/** Answers at once when it can: a promise costs a turn of the loop on the hot path. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;
