import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect } from 'vitest';
import { HpackDecoder } from '../../hpack/decoder.ts';
import type { HttpAnswer, HttpHandler } from '../../http.ts';
import { type Frame, FrameReader } from '../../http2/frame-reader.ts';
import { FLAG, FRAME, PREFACE } from '../../http2/frames.ts';
import { type HttpLimits, type HttpListener, listenHttp } from '../http-listener.ts';
import { createTlsContexts, type TlsIdentity } from '../tls/contexts.ts';
import { testCertificate } from '../tls/test-certificate.ts';

export const HOST = '127.0.0.1';
let identity: TlsIdentity;
beforeAll(async () => {
  identity = await testCertificate(['blog.test']);
});
export const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each();
});

export async function listen(
  handler: HttpHandler,
  limits: Partial<HttpLimits> = {},
): Promise<HttpListener> {
  const contexts = createTlsContexts();
  contexts.replace(new Map([['blog.test', identity]]));
  const given = { addresses: [HOST], httpPort: 0, httpsPort: 0, contexts };
  const listener = await listenHttp({ ...given, handler, limits });
  undo.push(() => listener.close({ graceMs: 0 }));
  return listener;
}

export const echo: HttpHandler = ({ method, path, host }) => ok(`${method} ${path} ${host}`);

export function ok(body: HttpAnswer['body']): HttpAnswer {
  return { status: 200, headers: [['content-type', 'text/plain']], body };
}

/** Sends whatever it is told, and notes what comes back. */
export class Client {
  readonly frames: Frame[] = [];
  readonly socket: TLSSocket;
  readonly #decoder = new HpackDecoder({ listBytesMax: 100_000 });

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader();
    reader.read(PREFACE, () => true);
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      reader.read(piece, (frame) => {
        const payload =
          frame.type === FRAME.headers ? this.#headersOf(frame) : Buffer.from(frame.payload);
        this.frames.push({ ...frame, payload });
        return true;
      });
    });
  }

  send(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(streamId, 5);
    this.socket.write(Buffer.concat([head, payload]));
  }

  get(streamId: number, path: string, flags: number = FLAG.endStream | FLAG.endHeaders): void {
    this.send(FRAME.headers, flags, streamId, request(path));
  }

  of(type: number, streamId = -1): readonly Frame[] {
    return this.frames.filter(
      (each) => each.type === type && (streamId < 0 || each.streamId === streamId),
    );
  }

  body(streamId: number): Buffer {
    return Buffer.concat(this.of(FRAME.data, streamId).map(({ payload }) => payload));
  }

  /** Header fields of an answer, a line each. */
  head(streamId: number): string {
    return this.of(FRAME.headers, streamId)[0]?.payload.toString() ?? '';
  }

  async isDone(streamId: number): Promise<void> {
    await expect
      .poll(() => this.frames.some((each) => each.streamId === streamId && isLast(each)), WAIT)
      .toBe(true);
  }

  /** The code that the server gave when it ended the connection. */
  async goaway(): Promise<number> {
    await expect.poll(() => this.of(FRAME.goaway).length, WAIT).toBeGreaterThan(0);
    return this.of(FRAME.goaway)[0]?.payload.readUInt32BE(4) ?? -1;
  }

  #headersOf({ payload }: Frame): Buffer {
    const decoded = this.#decoder.decode(payload);
    if (decoded.kind !== 'fields') return Buffer.from(decoded.kind);
    return Buffer.from(decoded.fields.map(({ name, value }) => `${name}: ${value}\n`).join(''));
  }
}

export const WAIT = { timeout: 10_000 };

function isLast({ type, flags }: Frame): boolean {
  return (
    type === FRAME.rstStream ||
    ((type === FRAME.data || type === FRAME.headers) && (flags & FLAG.endStream) !== 0)
  );
}

export async function open(
  port: number,
  settings: readonly (readonly [number, number])[] = [],
): Promise<Client> {
  const socket = connect({
    ...{ host: HOST, port, servername: 'blog.test', rejectUnauthorized: false },
    ALPNProtocols: ['h2'],
  });
  undo.push(() => void socket.destroy());
  await once(socket, 'secureConnect');
  const client = new Client(socket);
  socket.write(PREFACE);
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  client.send(FRAME.settings, 0, 0, payload);
  return client;
}

function literal(name: string, value: string): Buffer {
  const lengths = (text: string): Buffer =>
    Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]);
  return Buffer.concat([Buffer.of(0), lengths(name), lengths(value)]);
}

export function fields(...all: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(all.map(([name, value]) => literal(name, value)));
}

export function request(path: string): Buffer {
  return fields([':method', 'GET'], [':scheme', 'https'], [':authority', 'a'], [':path', path]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export async function expectStillServing(port: number): Promise<void> {
  const client = await open(port);
  client.get(1, '/normal');
  await client.isDone(1);
  expect(client.body(1).toString()).toBe('GET /normal a');
}
