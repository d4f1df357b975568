import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { inRecords, testClientHello } from './client-hello.fixture.ts';
import { CLIENT_HELLO_BYTES_MAX, type HelloOutcome, parseClientHello } from './client-hello.ts';

/** RFC 8701: values that mean nothing, as browsers send them. */
const GREASE = [
  [0x0a0a, Buffer.alloc(0)],
  [0xfafa, Buffer.of(0)],
] as const;
const ACME = { serverName: 'a.example.com', protocols: ['acme-tls/1'] };

test.each([
  { when: 'a CA asks for a proof', given: ACME, hello: ACME },
  {
    when: 'a browser greases',
    given: {
      serverName: 'a.test',
      protocols: ['\u000a\u000a', 'h2', 'http/1.1'],
      extensions: GREASE,
    },
    hello: { serverName: 'a.test', protocols: ['\u000a\u000a', 'h2', 'http/1.1'] },
  },
  { when: 'no name is sent', given: { protocols: ['h2'] }, hello: { protocols: ['h2'] } },
  { when: 'there are no extensions', given: {}, hello: { protocols: [] } },
  {
    when: 'it comes in records of 7 bytes, cut in every field',
    given: { serverName: 'a.test', fragmentBytes: 7 },
    hello: { serverName: 'a.test', protocols: [] },
  },
  {
    when: 'large keys make it long',
    given: { ...ACME, extensions: [[51, Buffer.alloc(8000)]] as const, fragmentBytes: 4000 },
    hello: ACME,
  },
])('a ClientHello is read when $when', ({ given, hello }) => {
  const bytes = testClientHello(given);
  expect(parseClientHello(bytes)).toEqual({ kind: 'hello', hello });
  // What follows is none of our business, such as early data.
  expect(parseClientHello(Buffer.concat([bytes, Buffer.of(23, 3, 3)]))).toMatchObject({ hello });
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'what OpenSSL sends with %s is read',
  async (version) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({
      ...{ host: '127.0.0.1', port, servername: 'a.example.com', ALPNProtocols: ['h2', 'x'] },
      ...{ minVersion: version, maxVersion: version },
    });
    client.on('error', () => undefined);
    const [socket] = await once(server, 'connection');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(parseClientHello(bytes)).toEqual({
      kind: 'hello',
      hello: { serverName: 'a.example.com', protocols: ['h2', 'x'] },
    });
    client.destroy();
    socket.destroy();
    server.close();
  },
);

test('of each beginning it says how much more is worth a look, and never less than there is', () => {
  const bytes = testClientHello({ ...ACME, fragmentBytes: 20 });
  let looks = 0;
  for (let wanted = 1; ; looks += 1) {
    for (let length = 0; length < Math.min(wanted, bytes.length); length += 1)
      expect(parseClientHello(bytes.subarray(0, length)).kind).toBe('more');
    const outcome = parseClientHello(bytes.subarray(0, wanted));
    if (outcome.kind !== 'more') {
      expect([outcome.kind, wanted]).toEqual(['hello', bytes.length]);
      break;
    }
    expect(outcome.bytesMin).toBeGreaterThan(wanted);
    wanted = outcome.bytesMin;
  }
  // A head and a body for each record.
  expect(looks).toBeLessThanOrEqual(2 * Math.ceil(bytes.length / 25) + 1);
});

const whole = testClientHello(ACME);

test.each([
  { when: 'HTTP in the clear', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  { when: 'another kind of record', bytes: Buffer.of(23, 3, 3, 0, 1, 0) },
  { when: 'SSL 2', bytes: Buffer.of(0x80, 0x2e, 1, 3, 1) },
  { when: 'another handshake message', bytes: inRecords(Buffer.of(2, 0, 0, 1, 0), 99) },
  { when: 'an empty record', bytes: Buffer.of(22, 3, 1, 0, 0) },
  { when: 'a record that is too long', bytes: Buffer.of(22, 3, 1, 0x40, 1) },
  { when: 'a message that is too long', bytes: inRecords(Buffer.of(1, 1, 0, 0), 99) },
  { when: 'records of a byte', bytes: testClientHello({ ...ACME, fragmentBytes: 1 }) },
  {
    when: 'a body with bytes left over',
    bytes: inRecords(Buffer.of(1, 0, 0, 41, ...Buffer.alloc(41)), 99),
  },
  { when: 'a body that ends early', bytes: inRecords(Buffer.of(1, 0, 0, 2, 3, 3), 99) },
  {
    when: 'two names of the host',
    bytes: testClientHello({ ...ACME, extensions: [[0, Buffer.of(0, 0)]] }),
  },
  {
    when: 'protocols that are longer than said',
    bytes: testClientHello({ extensions: [[16, Buffer.of(0, 1, 2, 3)]] }),
  },
])('$when is left to whoever comes next', ({ bytes }) => {
  expect(parseClientHello(bytes)).toEqual({ kind: 'other' });
});

test('whatever the bytes are, it says something bounded and never throws', () => {
  const next = xorshift(0x2545f491);
  const kinds = new Map<HelloOutcome['kind'], number>();
  for (let round = 0; round < 20_000; round += 1) {
    const outcome = parseClientHello(round % 2 === 0 ? randomBytes() : mutated());
    kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1);
    if (outcome.kind === 'more')
      expect(outcome.bytesMin).toBeLessThanOrEqual(CLIENT_HELLO_BYTES_MAX);
  }
  expect([...kinds.keys()].toSorted()).toEqual(['hello', 'more', 'other']);

  function randomBytes(): Buffer {
    const bytes = Buffer.from(Array.from({ length: next() % 300 }, () => next() & 0xff));
    // Most would be no handshake at all.
    const head = Buffer.of(22, 3, 1, 0, next() & 0xff, 1, 0, 0, next() & 0xff);
    return next() % 4 === 0 ? bytes : Buffer.concat([head, bytes]);
  }

  function mutated(): Buffer {
    const bytes = Buffer.from(whole);
    for (let flips = next() % 4; flips >= 0; flips -= 1)
      bytes[next() % bytes.length] = next() % 3 === 0 ? 0xff : next() & 0xff;
    return next() % 3 === 0 ? bytes.subarray(0, next() % bytes.length) : bytes;
  }
});

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
