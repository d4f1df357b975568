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
  /** Left out: not known. */
  readonly protocol?: HttpProtocol | undefined;
  /** The client's, as its socket has it. Left out: not known. */
  readonly address?: string | undefined;
  /** The same for requests of one client that have the same `headers`. Left out: not known. */
  readonly memo?: HeadersMemo;
  /**
   * Bytes of a body that whoever asks copies at once: one that is no longer, of an answer that is no
   * promise, may lie in memory that the next answer uses again. Left out: none may.
   */
  readonly copiedBytesMax?: number | undefined;
}

/** As access logs name it. */
export type HttpProtocol = 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';

/** Belongs to whoever answers: what was found out about headers need not be found out again. */
export interface HeadersMemo {
  found?: unknown;
}

/** What a server sends back. A piece-wise body must come to exactly its `content-length`. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: HttpHeaders;
  /**
   * Undefined: none. A piece of an iterable is looked at only until the next one is asked for, with
   * `next(bytesMax)`: one that is no longer is not held in memory until it can be sent.
   */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /**
   * Given with every answer of the same status, headers and length of body, so that its head is
   * encoded once. Left out: it is encoded each time.
   */
  readonly memo?: AnswerMemo;
}

/** Belongs to whoever sends; who answers makes an empty one and keeps it. */
export interface AnswerMemo {
  http1?: Uint8Array;
  http2?: Uint8Array;
}

export type HttpHeaders = readonly (readonly [name: string, value: string])[];

/** Answers at once when it can: a promise costs a turn of the loop on the hot path. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;
