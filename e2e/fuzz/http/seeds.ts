import { PREFACE } from '../../../runtime/http2/frames.ts';
import { testClientHello } from '../../../runtime/tls/client-hello.fixture.ts';

export const FUZZED_HOST = 'fuzzed.test';
export const NORMAL_TEXT = '<h1>normal</h1>';

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const LINES = `host: ${FUZZED_HOST}\r\n`;

/** Inputs that led somewhere once; what the fuzzer finds is added here. */
export const HTTP1_SEEDS: readonly Buffer[] = [
  `GET / HTTP/1.1\r\n${LINES}\r\n`,
  `GET /large.bin HTTP/1.1\r\n${LINES}range: bytes=0-5,100-200,-1\r\n\r\n`,
  `HEAD /index.html HTTP/1.1\r\n${LINES}if-none-match: "a", W/"b"\r\nconnection: close\r\n\r\n`,
  `GET /none HTTP/1.0\r\n${LINES}connection: keep-alive\r\n\r\nGET / HTTP/1.1\r\n${LINES}\r\n`,
  `POST / HTTP/1.1\r\n${LINES}transfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n`,
  `PUT / HTTP/1.1\r\n${LINES}content-length: 5\r\nexpect: 100-continue\r\n\r\nhello`,
  `GET http://${FUZZED_HOST}/%2e%2e/%2f HTTP/1.1\r\nhost: other.test\r\n\r\n`,
  `GET /.well-known/acme-challenge/x?a=%00 HTTP/1.1\r\n${LINES}accept-encoding: br;q=0.5, *\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\n${LINES}x: a\r\n y\r\n\r\n`,
  `${`GET / HTTP/1.1\r\n${LINES}\r\n`.repeat(20)}`,
].map(text);

export const HELLO_SEEDS: readonly Buffer[] = [
  testClientHello({ serverName: FUZZED_HOST, protocols: ['h2', 'http/1.1'] }),
  testClientHello({ serverName: FUZZED_HOST, protocols: ['acme-tls/1'], fragmentBytes: 20 }),
  testClientHello({ serverName: 'other.test', extensions: [[43, Buffer.of(2, 3, 4)]] }),
];

export const HTTP1_WORDS: readonly Buffer[] = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', '\0', ' ', '\t', ':', '%00', '%2e%2e%2f', '..;/', '\\'],
  ...['host:', 'content-length: 1\r\n', 'transfer-encoding: chunked\r\n', 'connection: close\r\n'],
  ...['range: bytes=', 'if-range: ', 'HTTP/1.1', 'HTTP/0.9', '\u00ff', `${'a'.repeat(4000)}`],
  ...['if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT\r\n', 'accept-encoding: ', '*', ';q='],
].map(text);

/** One frame (RFC 9113 §4.1). */
export interface SeedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function encodeFrame({ type, flags, streamId, payload }: SeedFrame): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type & 0xff, 3);
  head.writeUInt8(flags & 0xff, 4);
  head.writeUInt32BE(streamId >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export { PREFACE };

function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0x40, name.length),
    text(name),
    Buffer.of(value.length),
    text(value),
  ]);
}

/** `:method GET`, `:scheme https` and `:path /` from the static table (RFC 7541, Appendix A). */
const REQUEST = Buffer.concat([Buffer.of(0x82, 0x87, 0x84), literal(':authority', FUZZED_HOST)]);
const LARGE = Buffer.concat([
  ...[Buffer.of(0x82, 0x87), literal(':authority', FUZZED_HOST), literal(':path', '/large.bin')],
  literal('range', 'bytes=0-9,50-70'),
]);
const frame = (type: number, flags: number, streamId: number, payload: Buffer): SeedFrame => ({
  ...{ type, flags, streamId, payload },
});
const octets = (...all: readonly number[]): Buffer => Buffer.from(all);

export const HTTP2_SEEDS: readonly SeedFrame[] = [
  frame(4, 0, 0, octets(0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 9)),
  frame(4, 1, 0, octets()),
  frame(1, 5, 1, REQUEST),
  frame(1, 5, 3, LARGE),
  frame(1, 0x2d, 5, Buffer.concat([octets(3, 0, 0, 0, 0, 7), REQUEST, octets(0, 0, 0)])),
  frame(1, 1, 7, REQUEST.subarray(0, 5)),
  frame(9, 4, 7, REQUEST.subarray(5)),
  frame(1, 4, 9, REQUEST),
  frame(0, 1, 9, text('a body')),
  frame(0, 9, 9, octets(2, 1, 0, 0)),
  frame(2, 0, 3, octets(0, 0, 0, 1, 9)),
  frame(3, 0, 3, octets(0, 0, 0, 8)),
  frame(6, 0, 0, octets(1, 2, 3, 4, 5, 6, 7, 8)),
  frame(7, 0, 0, octets(0, 0, 0, 0, 0, 0, 0, 0)),
  frame(8, 0, 0, octets(0, 1, 0, 0)),
  frame(8, 0, 3, octets(0, 0, 0, 1)),
  frame(5, 4, 1, octets(0, 0, 0, 2)),
  frame(0x42, 0, 0, text('nobody knows')),
];

export const HTTP2_WORDS: readonly Buffer[] = [
  ...[octets(0x20), octets(0x3f, 0xe1, 0x1f), octets(0xbe), octets(0x7f, 0xff, 0xff, 0xff, 0x7f)],
  ...[octets(0x82), octets(0, 0, 0, 0), octets(0x7f, 0xff, 0xff, 0xff), octets(0x80, 0, 0, 0)],
  ...[literal('x', 'y'), literal('cookie', 'a'), literal('te', 'trailers'), literal(':path', '*')],
];
