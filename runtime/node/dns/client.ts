import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  type DnsAsked,
  type DnsClient,
  DnsError,
  type DnsMessage,
  type DnsServer,
  parseDnsServer,
} from '../../dns/client.ts';
import { decodeMessage, encodeQuery } from '../../dns/wire.ts';
import type { Random } from '../../random.ts';

export interface NodeDnsClientOptions {
  readonly random: Random;
  /** For one try. */
  readonly timeoutMs?: number;
  /** Over UDP. */
  readonly tries?: number;
}

const TIMEOUT_MS = 2_000;
const TRIES = 3;

/** Asks over real sockets: a new one for each question, so that its port is hard to guess. */
export function nodeDnsClient({
  random,
  timeoutMs = TIMEOUT_MS,
  tries = TRIES,
}: NodeDnsClientOptions): DnsClient {
  return {
    async ask(asked, signal) {
      const id = Buffer.from(random.bytes(2)).readUInt16BE(0);
      const query = encodeQuery({ ...asked, id });
      const attempts = asked.transport === 'udp' ? tries : 1;
      for (let attempt = 1; ; attempt += 1) {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        try {
          const exchange = asked.transport === 'udp' ? exchangeUdp : exchangeStream;
          return await exchange(asked, query, limit);
        } catch (error) {
          signal.throwIfAborted();
          const silence = silenceOf(error, limit);
          if (silence === 'timeout' && attempt < attempts) continue;
          throw new DnsError(silence, `${describe(asked)}: ${SILENCES[silence]}`, { cause: error });
        }
      }
    },
  };
}

/** Those that this machine asks for names, the preferred one first. */
export function systemResolvers(): readonly DnsServer[] {
  return getServers().flatMap((text) => parseDnsServer(text) ?? []);
}

const SILENCES = {
  'no-route': 'this machine has no way to such addresses',
  refused: 'nothing listens there',
  timeout: 'no answer',
  broken: 'what came back is no answer',
} as const;

function exchangeUdp(asked: DnsAsked, query: Buffer, signal: AbortSignal): Promise<DnsMessage> {
  const { address, port } = asked.server;
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const answered = new Promise<DnsMessage>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    socket.on('error', reject);
    socket.on('message', (bytes) => {
      const message = tryDecode(bytes);
      // Anyone can send to this port: what does not fit the question is not its answer.
      if (message !== undefined && answers(message, asked, query)) resolve(message);
    });
    // Connected: the kernel takes nothing from others, and tells when nobody listens there.
    socket.connect(port, address, () => socket.send(query));
  });
  return answered.finally(() => socket.close());
}

function exchangeStream(asked: DnsAsked, query: Buffer, signal: AbortSignal): Promise<DnsMessage> {
  const { address: host, port } = asked.server;
  // Who answers is not what is asked here: a certificate for another name will do (RFC 7858 §4.1).
  const socket: Socket =
    asked.transport === 'tls'
      ? connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['dot'] })
      : connect({ host, port });
  let received = Buffer.alloc(0);
  const answered = new Promise<DnsMessage>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    socket.on('error', reject);
    socket.on('close', () => reject(new RangeError('the connection was closed')));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = tryDecode(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (message !== undefined && answers(message, asked, query)) resolve(message);
      else reject(new RangeError('not the answer to the question'));
    });
    socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 0xff), query]));
  });
  return answered.finally(() => socket.destroy());
}

function answers(message: DnsMessage, asked: DnsAsked, query: Buffer): boolean {
  const { id, kind, question } = message;
  if (id !== query.readUInt16BE(0) || kind !== 'response') return false;
  // Errors may come without the question.
  if (question === undefined) return message.rcode !== 0;
  const name = asked.name.toLowerCase().replace(/\.$/, '') || '.';
  return question.name === name && question.type === asked.type;
}

function tryDecode(bytes: Buffer): DnsMessage | undefined {
  try {
    return decodeMessage(bytes);
  } catch {
    return undefined;
  }
}

const NO_ROUTE = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']);

function silenceOf(error: unknown, limit: AbortSignal): DnsError['silence'] {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (NO_ROUTE.has(code)) return 'no-route';
  if (code === 'ECONNREFUSED') return 'refused';
  return limit.aborted ? 'timeout' : 'broken';
}

function describe({ name, type, server, transport }: DnsAsked): string {
  return `ask ${server.address} port ${server.port} for ${name} TYPE${type} over ${transport}`;
}
