import type { DnsStream } from '../../../runtime/dns/reply.ts';
import { PADDING_BLOCK_BYTES } from '../answer.ts';
import { ROOT } from '../message/name.ts';
import { TCP_SIZE_BYTES_MAX } from '../message/response.ts';
import { optFor } from './bare.ts';
import type { ZoneChange } from './history.ts';
import { MessageWriter, type Padding, type TransferRecord } from './message-writer.ts';
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
  readonly transport: 'udp' | 'tcp' | 'tls';
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
  // Whoever can see how long each message is must learn little of the zone by it.
  const further = transfer.transport === 'tls' ? optFor(transfer.message) : [];
  let writer = firstWriter(transfer, limits);
  for (const record of records) {
    if (writer.add(record)) continue;
    yield finish(writer, transfer);
    writer = new MessageWriter({
      ...limits,
      ...{ id: request.id, flags: flagsOf(request) },
      ...{ question: Buffer.alloc(0), questionName: ROOT },
      ...{ additional: further, padding: paddingOf(transfer) },
    });
    if (!writer.add(record)) throw new RangeError(`a record of type ${record.type} is too long`);
  }
  yield finish(writer, transfer);
}

/**
 * Each message over TLS has an OPT, if the request had one, and is padded like any other answer:
 * RFC 9103 §7.9.1 leaves it open how much.
 */
function paddingOf({ transport, signer }: Transfer): Padding | undefined {
  if (transport !== 'tls') return undefined;
  return { blockBytes: PADDING_BLOCK_BYTES, signatureBytes: signer?.bytes ?? 0 };
}

function firstWriter(
  transfer: Transfer,
  limits: { readonly wantedBytes: number; readonly bytesMax: number },
): MessageWriter {
  const { request, message } = transfer;
  const { id, question, origin } = request;
  const flags = flagsOf(request);
  return new MessageWriter({
    ...{ ...limits, id, flags, question, questionName: origin },
    ...{ additional: optFor(message), padding: paddingOf(transfer) },
  });
}

function finish(writer: MessageWriter, { signer, nowS }: Transfer): Buffer {
  const message = writer.finish();
  return signer === undefined ? message : signer.sign(message, nowS());
}

function flagsOf({ recursionDesired }: TransferRequest): number {
  return RESPONSE_AUTHORITATIVE | (recursionDesired ? RECURSION_DESIRED : 0);
}
