import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Below } from '../../../agent/dns/fuzz/mutate.fixture.ts';
import { FrameReader } from '../../../runtime/http2/frame-reader.ts';
import { closeInTime } from '../batch.ts';
import { GIVEN_UP_MS_MIN } from './limits.ts';
import { encodeFrame, FUZZED_HOST, HTTP2_SEEDS, NORMAL_TEXT, PREFACE } from './seeds.ts';

export const WAYS = ['plain', 'TLS', 'HTTP/2'] as const;
/** `handshake`: bytes in place of a ClientHello. */
export type Way = (typeof WAYS)[number] | 'handshake';

export interface Ports {
  readonly http: number;
  readonly https: number;
}

export interface Input {
  readonly bytes: Buffer;
  /** Where they are cut into pieces, and how the connection ends; its own, so that a seed replays. */
  readonly below: Below;
}

/**
 * Sends an input over a connection of its own, in pieces of any size. Throws when the server does
 * not end it in time, in whichever way, or says what no server may.
 */
export async function attack(way: Way, ports: Ports, { bytes, below }: Input): Promise<void> {
  const said = await exchange(way, ports, (socket) => {
    for (let at = 0; at < bytes.length && socket.writable; ) {
      const end = at + 1 + below(below(4) === 0 ? 20 : 2000);
      socket.write(bytes.subarray(at, end));
      at = end;
    }
    if (below(8) === 0) socket.destroy();
    else socket.end();
  });
  if (way === 'HTTP/2') checkFrames(said);
  else if (way !== 'handshake') checkAnswers(said, bytes);
}

const TRIES_MAX = 5;

/**
 * The next normal request is answered, in each way. Where the server gave its client up, for the
 * machine was slow, it is asked again.
 */
export async function expectAlive(ports: Ports): Promise<void> {
  for (const way of WAYS) {
    const wanted = way === 'plain' ? 'HTTP/1.1 308 ' : NORMAL_TEXT;
    for (let tries = 1; ; tries += 1) {
      const sinceMs = performance.now();
      const said = await exchange(way, ports, (socket) => askNormally(way, socket));
      if (said.includes(wanted)) break;
      if (performance.now() - sinceMs < GIVEN_UP_MS_MIN || tries === TRIES_MAX)
        throw new Error(`${way}: the normal request was answered ${said.toString('latin1')}`);
    }
  }
}

const GET = `GET / HTTP/1.1\r\nhost: ${FUZZED_HOST}\r\nconnection: close\r\n\r\n`;
const GET_FRAMES = Buffer.concat([
  ...[PREFACE, encodeFrame({ type: 4, flags: 0, streamId: 0, payload: Buffer.alloc(0) })],
  ...HTTP2_SEEDS.slice(1, 3).map(encodeFrame),
]);

function askNormally(way: Way, socket: Socket): void {
  if (way !== 'HTTP/2') return void socket.end(GET);
  socket.write(GET_FRAMES);
  // What it ends itself would drop the answer.
  let said = '';
  socket.on('data', (piece: Buffer) => {
    said += piece.toString('latin1');
    if (said.includes(NORMAL_TEXT)) socket.end();
  });
}

async function exchange(way: Way, ports: Ports, act: (socket: Socket) => void): Promise<Buffer> {
  const isRaw = way === 'plain' || way === 'handshake';
  const socket = isRaw
    ? connectTcp({
        ...{ host: '127.0.0.1', port: way === 'plain' ? ports.http : ports.https },
        noDelay: true,
      })
    : connectTls({
        ...{ host: '127.0.0.1', port: ports.https, servername: FUZZED_HOST },
        ALPNProtocols: [way === 'TLS' ? 'http/1.1' : 'h2'],
        rejectUnauthorized: false,
      });
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.once(isRaw ? 'connect' : 'secureConnect', () => act(socket));
  await closeInTime(way, socket);
  return Buffer.concat(pieces);
}

const STATUS = /^HTTP\/1\.1 (?<status>\d{3}) [A-Za-z ]+\r\n/u;

/** Answers follow one another without a byte between them, and none says that we failed. */
function checkAnswers(said: Buffer, input: Buffer): void {
  let rest = said;
  while (rest.length > 0) {
    const headEnd = rest.indexOf('\r\n\r\n');
    const head = rest.subarray(0, headEnd < 0 ? rest.length : headEnd + 2).toString('latin1');
    // Cut off, as the client had gone.
    if (headEnd < 0 && head.length < 20) return;
    const status = STATUS.exec(head)?.groups?.['status'];
    if (status === undefined) throw new Error(`an answer begins ${JSON.stringify(head)}`);
    if (status === '500') throw new Error(`the handler failed: ${head}`);
    if (headEnd < 0) return;
    const length = /\r\ncontent-length: (?<bytes>\d+)\r\n/u.exec(head)?.groups?.['bytes'];
    // HEAD and 304 have a length and no body: where one starts cannot be told.
    if (input.includes('HEAD') || status === '304' || length === undefined) return;
    rest = rest.subarray(headEnd + 4 + Number(length));
  }
}

const INTERNAL_ERROR = 2;

function checkFrames(said: Buffer): void {
  const reader = new FrameReader();
  reader.read(PREFACE, () => true);
  const outcome = reader.read(said, ({ type, payload }) => {
    const at = type === 7 ? 4 : 0;
    if ((type === 3 || type === 7) && payload.readUInt32BE(at) === INTERNAL_ERROR)
      throw new Error('HTTP/2: the server says that it failed');
    return true;
  });
  if (outcome !== 'ok') throw new Error(`HTTP/2: the server said something else: ${outcome}`);
}
