import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet';
import type { RecordType } from './scenario.ts';

export interface DnsQuestion {
  readonly name: string;
  readonly type: RecordType;
  /** Whose place decides: an IPv4 address. */
  readonly client: string;
}

const ID = 4711;
/** The whole address: the test database of geography knows some places by a few addresses only. */
const SUBNET_BITS = 32;

/** What a resolver sends for one of its clients (RFC 7871). */
export function encodeQuestion({ name, type, client }: DnsQuestion): Uint8Array {
  return encode({
    type: 'query',
    id: ID,
    questions: [{ name, type }],
    additionals: [subnet(client)],
  });
}

/** The code and the values of a reply, sorted: `['192.0.2.1']`, `['NXDOMAIN']`, `[]`. */
export function decodeValues(reply: Uint8Array): readonly string[] {
  const message = decode(Buffer.from(reply)) as DecodedPacket & { readonly rcode: string };
  if (message.id !== ID) return ['not a reply to this question'];
  if (message.rcode !== 'NOERROR') return [message.rcode];
  return (message.answers ?? []).map(textOf).toSorted();
}

function textOf(answer: Answer): string {
  if (answer.type === 'TXT') return [answer.data].flat().map(String).join('');
  if (answer.type === 'MX') return `${answer.data.preference} ${answer.data.exchange}`;
  if (answer.type === 'A' || answer.type === 'NS') return answer.data;
  return answer.type;
}

/** `dns-packet`'s types do not know the options of EDNS. */
function subnet(client: string): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [
      {
        code: 'CLIENT_SUBNET',
        family: 1,
        sourcePrefixLength: SUBNET_BITS,
        scopePrefixLength: 0,
        ip: client,
      },
    ],
  } as unknown as Answer;
}
