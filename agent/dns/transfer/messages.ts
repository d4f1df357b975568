import type { DnsStream } from '../../../runtime/dns-reply.ts';
import { ROOT } from '../name.ts';
import { TCP_SIZE_BYTES_MAX } from '../response.ts';
import { optFor } from './bare.ts';
import type { ZoneChange } from './history.ts';
import { MessageWriter, type TransferRecord } from './message-writer.ts';
import type { TransferRequest } from './request.ts';
import type { TsigSigner } from './tsig.ts';
import {
  type BorrowedAddresses,
  soaRecords,
  type TransferVersion,
  versionRecords,
} from './version.ts';

/**
 * Records are put into messages of about this size: pointers of name compression reach no further,
 * and one is made in less than a millisecond.
 */
export const MESSAGE_BYTES = 16 * 1024;

const RESPONSE_AUTHORITATIVE = 0x8400;
const RECURSION_DESIRED = 0x0100;

/** What goes back for one request. */
export interface Transfer {
  readonly request: TransferRequest;
  /** The request as it came, without its signature. */
  readonly message: Buffer;
  readonly records: Iterable<TransferRecord>;
  /** Undefined: the request was not signed, so the answer is not. */
  readonly signer: TsigSigner | undefined;
  readonly nowS: () => number;
}

/** The whole zone between its SOA and its SOA (RFC 5936 §2.2). */
export function* wholeZone(
  version: TransferVersion,
  borrowed: BorrowedAddresses,
): Generator<TransferRecord> {
  yield* soaRecords(version);
  yield* versionRecords(version, borrowed);
  yield* soaRecords(version);
}

/** What changed, oldest change first, each between the SOAs of its two versions (RFC 1995 §4). */
export function* changedRecords(
  version: TransferVersion,
  changes: readonly ZoneChange[],
): Generator<TransferRecord> {
  yield* soaRecords(version);
  for (const { from, removed, to, added } of changes) {
    yield* from;
    yield* removed;
    yield* to;
    yield* added;
  }
  yield* soaRecords(version);
}

/** Made message by message, as they are asked for. `onEnd`: once, however it ends. */
export function streamOf(transfer: Transfer, onEnd: () => void): DnsStream {
  const messages = messagesOf(transfer);
  return {
    next() {
      const { value, done } = messages.next();
      return done === true ? undefined : value;
    },
    end: onEnd,
  };
}

/** All of it in one message, with room left to sign it; undefined: it does not fit. */
export function oneMessageOf(transfer: Transfer, sizeMax: number): Buffer | undefined {
  const bytesMax = sizeMax - (transfer.signer?.bytes ?? 0);
  const writer = firstWriter(transfer, { wantedBytes: bytesMax, bytesMax });
  for (const record of transfer.records) if (!writer.add(record)) return undefined;
  return writer.finish();
}

function* messagesOf(transfer: Transfer): Generator<Buffer> {
  const { request, records, signer } = transfer;
  const bytesMax = TCP_SIZE_BYTES_MAX - (signer?.bytes ?? 0);
  const limits = { wantedBytes: MESSAGE_BYTES, bytesMax };
  let writer = firstWriter(transfer, limits);
  for (const record of records) {
    if (writer.add(record)) continue;
    yield finish(writer, transfer);
    writer = new MessageWriter({
      ...limits,
      ...{ id: request.id, flags: flagsOf(request) },
      ...{ question: Buffer.alloc(0), questionName: ROOT, additional: [] },
    });
    if (!writer.add(record)) throw new RangeError(`a record of type ${record.type} is too long`);
  }
  yield finish(writer, transfer);
}

function firstWriter(
  { request, message }: Transfer,
  limits: { readonly wantedBytes: number; readonly bytesMax: number },
): MessageWriter {
  const { id, question, origin } = request;
  const additional = optFor(message);
  const flags = flagsOf(request);
  return new MessageWriter({ ...limits, id, flags, question, questionName: origin, additional });
}

function finish(writer: MessageWriter, { signer, nowS }: Transfer): Buffer {
  const message = writer.finish();
  return signer === undefined ? message : signer.sign(message, nowS());
}

function flagsOf({ recursionDesired }: TransferRequest): number {
  return RESPONSE_AUTHORITATIVE | (recursionDesired ? RECURSION_DESIRED : 0);
}
