import { createSocket } from 'node:dgram';
import { type Answer, decode, encode, type Packet } from 'dns-packet';

const TIMEOUT_MS = 1_000;
/** A datagram can be lost, and a machine be busy. */
const TRIES = 3;

export interface DnsAnswer {
  readonly rcode: string;
  /** Addresses and texts of the answer section, in order. */
  readonly values: readonly string[];
  readonly answers: readonly Answer[];
}

/** Asks one nameserver over UDP, on behalf of a client subnet. Rejects when no answer comes. */
export async function askDns(
  server: { readonly address: string; readonly port: number },
  question: { readonly name: string; readonly type: 'A' | 'AAAA' | 'SOA' | 'NS' | 'TXT' | 'MX' },
  client?: string,
): Promise<DnsAnswer> {
  const id = Math.floor(Math.random() * 65_536);
  const query = encode({
    type: 'query',
    id,
    questions: [question],
    ...(client !== undefined && { additionals: [subnetOption(client)] }),
  });
  const socket = createSocket('udp4');
  let again: NodeJS.Timeout | undefined;
  try {
    const response = await new Promise<Packet>((resolve, reject) => {
      socket.on('message', (message) => {
        const packet = decode(message);
        if (packet.id === id) resolve(packet);
      });
      socket.on('error', reject);
      let tries = 0;
      const send = (): void => {
        if (tries === TRIES)
          return reject(new Error(`no answer from ${server.address}:${server.port}`));
        tries += 1;
        socket.send(query, server.port, server.address);
      };
      again = setInterval(send, TIMEOUT_MS);
      send();
    });
    const answers = response.answers ?? [];
    return {
      rcode: (response as Packet & { rcode: string }).rcode,
      answers,
      values: answers.map(textOf),
    };
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** An address or a name as it is, a text joined of its strings, anything else as JSON. */
function textOf(answer: Answer): string {
  if (!('data' in answer)) return '';
  const { data } = answer;
  if (typeof data === 'string') return data;
  if (answer.type !== 'TXT') return JSON.stringify(data);
  return [data].flat().map(String).join('');
}

function subnetOption(client: string): Answer {
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
        sourcePrefixLength: 24,
        scopePrefixLength: 0,
        ip: client,
      },
    ],
  } as unknown as Answer;
}
