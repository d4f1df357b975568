import type { DnsReply } from '../../../runtime/dns/reply.ts';
import type { DnsClient } from '../answer.ts';
import { parsePeerAddress } from '../geo/address.ts';
import { Rcode } from '../message/codes.ts';
import { HEADER_BYTES, parseQuery } from '../message/message.ts';
import type { NameKey } from '../message/name.ts';
import { ExtendedError } from '../message/reply.ts';
import { TCP_SIZE_BYTES_MAX } from '../message/response.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import type { Rrset } from '../zone/rrset.ts';
import { bareReplyTo, udpSizeMax } from './bare.ts';
import type { TransferBook, TransferZone } from './book.ts';
import { borrowedSets, UnknownBorrowed } from './borrowed.ts';
import { isAtLeast } from './history.ts';
import { changedRecords, oneMessageOf, streamOf, type Transfer, wholeZone } from './messages.ts';
import { readRequest, type TransferRequest } from './request.ts';
import { RCODE_NOTAUTH, refuseTsig, type TsigKey, TsigSigner, verifyTsig } from './tsig.ts';
import { findTsig, type TsigRecord, withoutTsig } from './tsig-record.ts';
import { soaRecords } from './version.ts';
import { isPlain } from './wire.ts';

/** Transfers that go on at once in one thread; more are told to come again. */
export const TRANSFERS_MAX = 16;

/** What answers everything that is no transfer, and refuses those that are not allowed. */
export type AnswerPlain = (query: Uint8Array) => Uint8Array | undefined;

export interface TransferContext {
  readonly book: TransferBook;
  readonly snapshot: DnsSnapshot;
  readonly client: DnsClient;
  /** Wall time, asked anew for each message of a long answer. */
  readonly nowMs: () => number;
  readonly answerPlain: AnswerPlain;
}

/** What a request proved of who sent it. */
interface Sender {
  readonly client: DnsClient;
  /** Undefined: it was not signed. */
  readonly key: TsigKey | undefined;
  readonly signer: TsigSigner | undefined;
}

/**
 * Hands zones to secondaries: whole (AXFR, RFC 5936) or what changed (IXFR, RFC 1995), to the
 * addresses and keys that the zone names and to nobody else. Whatever is asked with a signature is
 * checked and answered with one (TSIG, RFC 8945); the rest goes to `answerPlain` as it is.
 *
 * Never throws, whatever the bytes.
 */
export class Transfers {
  readonly #unknown = new UnknownBorrowed();
  #running = 0;

  answer(query: Uint8Array, context: TransferContext): DnsReply | undefined {
    const message = Buffer.isBuffer(query)
      ? query
      : Buffer.from(query.buffer, query.byteOffset, query.byteLength);
    if (isPlain(message) || isResponse(message)) return context.answerPlain(query);
    const found = findTsig(message);
    switch (found.kind) {
      case 'none':
        return this.#answerTransfer(message, context, unsigned(context));
      case 'malformed':
        return bareReplyTo(message, { rcode: Rcode.FORMERR });
      case 'found':
        return this.#answerSigned(message, found.record, context);
    }
  }

  #answerSigned(
    message: Buffer,
    record: TsigRecord,
    context: TransferContext,
  ): DnsReply | undefined {
    const { client, book } = context;
    const nowS = secondsOf(context);
    const verdict = verifyTsig(message, record, { keys: book.keys, nowS });
    const bare = withoutTsig(message, record);
    // The answer has the number that the query came with, whatever it was signed with.
    message.copy(bare, 0, 0, 2);
    switch (verdict.kind) {
      case 'malformed':
        return bareReplyTo(bare, { rcode: Rcode.FORMERR });
      case 'refused': {
        const reply = bareReplyTo(bare, { rcode: RCODE_NOTAUTH });
        return refuseTsig(reply, record, { ...verdict, nowS });
      }
      case 'signed': {
        const signer = new TsigSigner(verdict.key, record.mac);
        const reply = this.#answerTransfer(bare, context, { client, key: verdict.key, signer });
        // The messages of a stream are signed as they are made.
        if (!(reply instanceof Uint8Array)) return reply;
        return signer.sign(fitting(bare, reply, { client, signer }), nowS);
      }
    }
  }

  #answerTransfer(message: Buffer, context: TransferContext, sender: Sender): DnsReply | undefined {
    const read = readRequest(message);
    // What is wrong with any query is wrong with this one: BADVERS, records that are not whole.
    if (read.kind === 'other' || parseQuery(message).kind !== 'accepted') {
      return context.answerPlain(message);
    }
    if (read.kind === 'malformed') return bareReplyTo(message, { rcode: Rcode.FORMERR });
    const { request } = read;
    const zone = context.book.zone(request.origin);
    const isUdp = sender.client.transport === 'udp';
    // There is no AXFR over UDP (RFC 5936 §4.2).
    const isPossible = !(isUdp && request.kind === 'AXFR');
    if (zone === undefined || !isPossible || !isAllowed(zone, sender)) {
      return context.answerPlain(message);
    }
    const transfer = planTransfer(zone, { request, message, sender, context });
    const { snapshot, nowMs } = context;
    const isAwaited = this.#unknown.isAwaited(zone.version, snapshot, nowMs());
    if (isUdp) {
      // What does not fit is for TCP, says the newest SOA alone (RFC 1995 §4).
      const soaOnly = { ...transfer, records: soaRecords(zone.version) };
      const bytesMax = udpSizeMax(message);
      const whole = isAwaited ? undefined : oneMessageOf(transfer, bytesMax);
      return whole ?? oneMessageOf(soaOnly, bytesMax);
    }
    if (isAwaited || this.#running >= TRANSFERS_MAX) {
      const extendedError = ExtendedError.NotReady;
      return bareReplyTo(message, { rcode: Rcode.SERVFAIL, extendedError });
    }
    this.#running += 1;
    return streamOf(transfer, () => {
      this.#running -= 1;
    });
  }
}

/** Which records go back: none but the SOA to who is up to date, else changes, else the zone. */
function planTransfer(
  { version, history }: TransferZone,
  given: {
    readonly request: TransferRequest;
    readonly message: Buffer;
    readonly sender: Sender;
    readonly context: TransferContext;
  },
): Transfer {
  const { request, message, sender, context } = given;
  const { transport } = sender.client;
  const nowS = (): number => secondsOf(context);
  const fixed = { request, message, signer: sender.signer, nowS, transport };
  const isCurrent = request.kind === 'IXFR' && isAtLeast(request.serial, version.zone.serial);
  if (isCurrent) return { ...fixed, records: soaRecords(version) };
  const changes = request.kind === 'IXFR' ? history.since(request.serial) : undefined;
  const borrowed = (owner: NameKey): readonly Rrset[] =>
    borrowedSets(owner, version.zone, context.snapshot);
  const records =
    changes === undefined ? wholeZone(version, borrowed) : changedRecords(version, changes);
  return { ...fixed, records };
}

/** By address and key: each secondary in the list is a rule of its own. */
function isAllowed({ secondaries }: TransferZone, { client, key }: Sender): boolean {
  const bytes = parsePeerAddress(client.address);
  if (bytes === undefined) return false;
  const address = Buffer.from(bytes).toString('hex');
  return secondaries.some(
    (each) =>
      each.address === address && (each.keyName === undefined || each.keyName === key?.name),
  );
}

/** What is left of a reply that leaves no room for its signature. */
function fitting(
  message: Buffer,
  reply: Uint8Array,
  { client, signer }: { readonly client: DnsClient; readonly signer: TsigSigner },
): Uint8Array {
  if (reply.length + signer.bytes <= sizeMax(message, { client })) return reply;
  return client.transport === 'udp'
    ? bareReplyTo(message, { rcode: Rcode.NOERROR, truncated: true })
    : bareReplyTo(message, { rcode: Rcode.SERVFAIL });
}

function sizeMax(message: Buffer, { client }: Pick<Sender, 'client'>): number {
  return client.transport === 'udp' ? udpSizeMax(message) : TCP_SIZE_BYTES_MAX;
}

function unsigned({ client }: TransferContext): Sender {
  return { client, key: undefined, signer: undefined };
}

function isResponse(message: Buffer): boolean {
  return message.length < HEADER_BYTES || message.readUInt16BE(2) >= 0x8000;
}

function secondsOf({ nowMs }: TransferContext): number {
  return Math.floor(nowMs() / 1000);
}
