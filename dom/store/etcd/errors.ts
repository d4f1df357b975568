import {
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCInvalidArgumentError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
} from 'etcd3';
import { CompactedError, UncertainError } from '../../../runtime/store/store.ts';

/**
 * What an error of a commit means. Only an answer of etcd itself that says no is certain; after a
 * timeout or a lost connection the transaction may have happened, or may happen yet.
 */
export function commitError(error: unknown): Error {
  const what = 'commit to etcd';
  if (isTooLarge(error)) {
    const mend = 'start etcd with --max-request-bytes=8388608';
    return new RangeError(`${what}: ${messageOf(error)}; ${mend}`, { cause: error });
  }
  const isCertain = CERTAIN.some((certain) => error instanceof certain);
  if (isCertain) return new Error(`${what}: ${messageOf(error)}`, { cause: error });
  return new UncertainError(`${what}: ${messageOf(error)}`, { cause: error });
}

/** What an error of a read or another repeatable call means. */
export function callError(what: string, error: unknown): Error {
  const message = `${what}: ${messageOf(error)}`;
  if (isCompacted(error)) return new CompactedError(message, { cause: error });
  if (isFuture(error)) return new RangeError(message, { cause: error });
  return new Error(message, { cause: error });
}

/** Whether asking again cannot help. */
export function isFinal(error: unknown): boolean {
  return error instanceof GRPCOutOfRangeError || CERTAIN.some((final) => error instanceof final);
}

export function isCompacted(error: unknown): boolean {
  return error instanceof GRPCOutOfRangeError && /has been compacted/.test(error.message);
}

/** The response is larger than this client takes. */
export function isResponseTooLarge(error: unknown): boolean {
  return error instanceof GRPCResourceExhastedError && /larger than max/.test(error.message);
}

export function isLeaseEnded(error: unknown): boolean {
  return error instanceof EtcdLeaseInvalidError;
}

export function isTokenEnded(error: unknown): boolean {
  return /invalid auth token/.test(messageOf(error));
}

/** etcd answered, and did nothing. */
const CERTAIN = [
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCInvalidArgumentError,
  GRPCResourceExhastedError,
];

function isFuture(error: unknown): boolean {
  return error instanceof GRPCOutOfRangeError && /is a future revision/.test(error.message);
}

function isTooLarge(error: unknown): boolean {
  return (
    (error instanceof GRPCInvalidArgumentError || error instanceof GRPCResourceExhastedError) &&
    /request is too large|larger than max/.test(error.message)
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
