import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerErrorResponse,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { Clashes, Violations } from '../../../proto/gen/b8s/v1/api.ts';
import type { Caller } from '../../caller.ts';
import type { Log } from '../../log.ts';
import { RequestError, type RequestErrorDetails } from '../../request-error.ts';
import { type AuthenticatedCall, peerIdentity } from '../tls/peer-identity.ts';

/** `signal` is aborted when the caller is gone, has cancelled, or its deadline has passed. */
export type UnaryHandler<Request, Response> = (
  request: Request,
  caller: Caller,
  signal: AbortSignal,
) => Promise<Response>;

export type ServerStreamHandler<Request, Response> = (
  request: Request,
  caller: Caller,
  signal: AbortSignal,
) => AsyncIterable<Response>;

export type ClientStreamHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  caller: Caller,
  signal: AbortSignal,
) => Promise<Response>;

/**
 * Turns handlers in b8s's words into those of grpc-js.
 *
 * A `RequestError` becomes the gRPC status of its code, its details go into the trailers
 * `b8s-violations-bin` and `b8s-clashes-bin`. Any other error becomes INTERNAL without a word of
 * its own: what it says belongs in our log only.
 */
export interface GrpcHandlers {
  readonly unary: <Request, Response>(
    handler: UnaryHandler<Request, Response>,
  ) => handleUnaryCall<Request, Response>;
  /** Waits for a caller that reads slowly. */
  readonly serverStream: <Request, Response>(
    handler: ServerStreamHandler<Request, Response>,
  ) => handleServerStreamingCall<Request, Response>;
  /** Takes in no more than the handler reads. */
  readonly clientStream: <Request, Response>(
    handler: ClientStreamHandler<Request, Response>,
  ) => handleClientStreamingCall<Request, Response>;
}

export function grpcHandlers(log: Log): GrpcHandlers {
  return {
    unary: (handler) => (call, callback) => {
      const context = openCall(call, log);
      void answer(() => handler(call.request, context.caller, context.signal), callback, context);
    },
    serverStream: (handler) => (call) => {
      const context = openCall(call, log);
      pump(() => handler(call.request, context.caller, context.signal), call, context.signal).then(
        () => call.end(),
        (error: unknown) => call.emit('error', failureOf(error, context)),
      );
    },
    clientStream: (handler) => (call, callback) => {
      const context = openCall(call, log);
      void answer(() => handler(call, context.caller, context.signal), callback, context);
    },
  };
}

/** Who makes a call, to be asked when it begins. */
export function callerOf(call: ServerCall): Caller {
  return { identity: peerIdentity(call), peer: call.getPeer() };
}

/** The gRPC status that answers a refused request. */
export function refusalOf(error: RequestError): ServerErrorResponse {
  // A lone surrogate would make grpc-js throw where nobody catches it.
  const details = error.message.toWellFormed().slice(0, DETAILS_CHARACTERS_MAX);
  const metadata = trailersOf(error.details ?? {});
  return { name: error.name, message: details, code: status[error.code], details, metadata };
}

/** What is larger than this in a trailer makes proxies and clients drop the whole answer. */
const TRAILER_BYTES_MAX = 8 * 1024;
const DETAILS_CHARACTERS_MAX = 2 * 1024;

interface ServerCall extends AuthenticatedCall {
  getPeer(): string;
  getPath(): string;
  on(event: 'cancelled', listener: () => void): unknown;
}

interface CallContext {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly method: string;
  readonly log: Log;
}

function openCall(call: ServerCall, log: Log): CallContext {
  const cancelled = new AbortController();
  call.on('cancelled', () => cancelled.abort(new Error('the caller is gone')));
  return { caller: callerOf(call), signal: cancelled.signal, method: call.getPath(), log };
}

async function answer<Response>(
  handle: () => Promise<Response>,
  callback: sendUnaryData<Response>,
  context: CallContext,
): Promise<void> {
  let response: Response;
  try {
    response = await handle();
  } catch (error) {
    callback(failureOf(error, context));
    return;
  }
  callback(null, response);
}

interface WritableCall<Response> {
  write(response: Response): boolean;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

async function pump<Response>(
  handle: () => AsyncIterable<Response>,
  call: WritableCall<Response>,
  signal: AbortSignal,
): Promise<void> {
  for await (const response of handle()) {
    if (signal.aborted) return;
    if (!call.write(response)) await drained(call, signal);
  }
}

function drained<Response>(call: WritableCall<Response>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    if (signal.aborted) done();
    call.once('drain', done);
    signal.addEventListener('abort', done);
  });
}

function failureOf(
  error: unknown,
  { caller, signal, method, log }: CallContext,
): ServerErrorResponse {
  if (error instanceof RequestError) return refusalOf(error);
  // When the caller is gone, handlers fail because of that, and nobody reads the answer.
  if (!signal.aborted) log.error({ method, ...caller, error: describe(error) }, 'request failed');
  const details = 'dom failed to answer; its log says why';
  return { name: 'Error', message: details, code: status.INTERNAL, details };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

function trailersOf({ violations = [], clashes = [] }: RequestErrorDetails): Metadata {
  const metadata = new Metadata();
  addTrailer(metadata, 'b8s-violations-bin', violations, (some) =>
    Violations.encode({ violations: some }).finish(),
  );
  addTrailer(metadata, 'b8s-clashes-bin', clashes, (some) =>
    Clashes.encode({ clashes: some }).finish(),
  );
  return metadata;
}

/** As many of `items`, from the first, as fit. */
function addTrailer<Item>(
  metadata: Metadata,
  key: string,
  items: readonly Item[],
  encode: (items: readonly Item[]) => Uint8Array,
): void {
  let some = items;
  let bytes = encode(some);
  while (bytes.length > TRAILER_BYTES_MAX) {
    some = some.slice(0, Math.floor(some.length / 2));
    bytes = encode(some);
  }
  if (some.length > 0) metadata.set(key, Buffer.from(bytes));
}
