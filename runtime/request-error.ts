import type { Clash, Violation } from '../proto/gen/b8s/v1/api.ts';

/** The gRPC status codes that dom's services answer with on purpose. */
export type RequestErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'UNAVAILABLE'
  | 'RESOURCE_EXHAUSTED';

export interface RequestErrorDetails {
  readonly violations?: readonly Violation[];
  readonly clashes?: readonly Clash[];
}

/**
 * A request that is refused, with a message meant for the caller: any other error that a handler
 * throws is a fault of ours, and its message stays in our log.
 */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;
  readonly details: RequestErrorDetails | undefined;

  constructor(
    code: RequestErrorCode,
    message: string,
    options: RequestErrorDetails & { readonly cause?: unknown } = {},
  ) {
    const { violations, clashes, cause } = options;
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.details =
      violations === undefined && clashes === undefined
        ? undefined
        : {
            ...(violations !== undefined && { violations }),
            ...(clashes !== undefined && { clashes }),
          };
  }
}
