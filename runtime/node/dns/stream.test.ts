import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { DnsAnswerer, DnsStream } from '../../dns/reply.ts';
import { dial, frame, read } from './client.fixture.ts';
import { type DnsListener, type DnsListenerOptions, listenDns } from './listener.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

async function listen(
  answer: DnsAnswerer,
  limits: DnsListenerOptions['limits'] = {},
): Promise<DnsListener> {
  const listener = await listenDns({ addresses: ['127.0.0.1'], port: 0, answer, limits });
  opened.push(listener);
  return listener;
}

function connectTo(port: number): Socket {
  const socket = dial(port);
  opened.push({ close: () => socket.destroy() });
  return socket;
}

/** `count` messages of `bytes` each, and how it went. */
class Messages implements DnsStream {
  made = 0;
  ends = 0;
  readonly #count: number;
  readonly #bytes: number;

  constructor({ count, bytes }: { readonly count: number; readonly bytes: number }) {
    this.#count = count;
    this.#bytes = bytes;
  }

  next(): Uint8Array | undefined {
    if (this.made === this.#count) return undefined;
    this.made += 1;
    return Buffer.alloc(this.#bytes, this.made);
  }

  end(): void {
    this.ends += 1;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('an answer of several messages', () => {
  test('arrives whole, and what was asked after it is answered after it', async () => {
    const stream = new Messages({ count: 300, bytes: 50_000 });
    const { port } = await listen((query) => (query.length === 4 ? stream : query));
    const socket = connectTo(port);
    socket.write(Buffer.concat([frame('many'), frame('after')]));
    const whole = await read(socket, 300 * 50_002 + 7);
    expect(whole.length).toBe(300 * 50_002 + 7);
    expect(whole.slice(-5)).toBe('after');
    expect(stream.ends).toBe(1);
  });

  test('is made no faster than the peer reads it', async () => {
    const stream = new Messages({ count: 100_000, bytes: 60_000 });
    const { port } = await listen(() => stream, { stallMs: 200 });
    const socket = connectTo(port);
    socket.pause();
    socket.write(frame('many'));
    await until(() => stream.ends === 1);
    // What the kernel's buffers take, and not the six gigabytes that there are.
    expect(stream.made).toBeLessThan(1000);
  });

  test('leaves a turn to the others after each message, however fast it is read', async () => {
    let turn = 0;
    let isOver = false;
    const next = (): void => {
      turn += 1;
      if (!isOver) setImmediate(next);
    };
    setImmediate(next);
    const stream = new Messages({ count: 100, bytes: 16_000 });
    const turns: number[] = [];
    const make = stream.next.bind(stream);
    stream.next = () => {
      turns.push(turn);
      return make();
    };
    const { port } = await listen(() => stream);
    const socket = connectTo(port);
    socket.write(frame('many'));
    expect((await read(socket, 100 * 16_002)).length).toBe(100 * 16_002);
    isOver = true;
    expect(new Set(turns).size).toBe(turns.length);
  });

  test('ends when the peer goes away, and only once', async () => {
    const stream = new Messages({ count: 100_000, bytes: 60_000 });
    const { port } = await listen(() => stream);
    const socket = connectTo(port);
    socket.write(frame('many'));
    await read(socket, 100_000);
    socket.destroy();
    await until(() => stream.ends > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.ends).toBe(1);
  });

  test('that fails half-way ends the connection', async () => {
    const stream = new Messages({ count: 3, bytes: 10 });
    const next = stream.next.bind(stream);
    stream.next = () => {
      if (stream.made === 2) throw new Error('a bug');
      return next();
    };
    const { port } = await listen(() => stream);
    const socket = connectTo(port);
    socket.write(frame('many'));
    expect((await read(socket, 1000).catch(() => '')).length).toBeLessThanOrEqual(24);
    await until(() => stream.ends === 1);
  });

  test('may take longer than an idle connection may last', async () => {
    const stream = new Messages({ count: 40, bytes: 60_000 });
    const { port } = await listen(() => stream, { idleMs: 1_000, stallMs: 10_000 });
    const socket = connectTo(port);
    socket.write(frame('many'));
    let bytes = 0;
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length;
      await new Promise((resolve) => setTimeout(resolve, 40));
      if (bytes === 40 * 60_002) break;
    }
    expect(bytes).toBe(40 * 60_002);
  });

  test('makes no way for others while it goes on', async () => {
    const stream = new Messages({ count: 200, bytes: 50_000 });
    const answer: DnsAnswerer = (query) => (query.length === 4 ? stream : query);
    const { port } = await listen(answer, { connectionsMax: 2 });
    const socket = connectTo(port);
    socket.pause();
    socket.write(frame('many'));
    await until(() => stream.made > 0);
    for (let count = 0; count < 5; count += 1) {
      const other = connectTo(port);
      other.write(frame('other'));
      expect(await read(other, 7)).toBe('\0\x05other');
    }
    expect(stream.ends).toBe(0);
    expect((await read(socket, 200 * 50_002)).length).toBe(200 * 50_002);
    await until(() => stream.ends === 1);
    for (const text of ['a', 'b']) {
      const other = connectTo(port);
      other.write(frame(text));
      await read(other, 3);
    }
    // It has been idle longest by now.
    expect(await read(socket, 1).catch(() => '')).toBe('');
  });

  test('is dropped over UDP', async () => {
    const stream = new Messages({ count: 2, bytes: 10 });
    const { port } = await listen(() => stream);
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    opened.push({ close: () => socket.close() });
    socket.send('many', port, '127.0.0.1');
    await until(() => stream.ends === 1);
    expect(stream.made).toBe(0);
  });
});

describe('a peer that has ended its side', () => {
  const echo: DnsAnswerer = (query) => query;

  test('gets what it asked for, and then the end (RFC 7766 §6.2.4)', async () => {
    const { port } = await listen(echo);
    const socket = connectTo(port);
    socket.end(Buffer.concat(Array.from({ length: 300 }, () => frame('hello'))));
    const whole = await read(socket, Number.POSITIVE_INFINITY);
    expect(whole.length).toBe(300 * 7);
  });

  test('gets a whole stream', async () => {
    const stream = new Messages({ count: 100, bytes: 50_000 });
    const { port } = await listen(() => stream);
    const socket = connectTo(port);
    socket.end(frame('many'));
    expect((await read(socket, Number.POSITIVE_INFINITY)).length).toBe(100 * 50_002);
  });

  test('and has asked by halves is cut at once', async () => {
    const { port } = await listen(echo, { idleMs: 60_000 });
    const socket = connectTo(port);
    socket.end(frame('hello').subarray(0, 4));
    expect(await read(socket, 1)).toBe('');
  });

  test('without a word is let go', async () => {
    const { port } = await listen(echo, { idleMs: 60_000 });
    const socket = connectTo(port);
    await once(socket, 'connect');
    socket.end();
    expect(await read(socket, 1)).toBe('');
  });
});

test('answers to queries that came together leave together', async () => {
  const { port } = await listen((query) => query);
  const socket = connectTo(port);
  socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame('hello'))));
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.length).toBe(700);
});

test('a connection that asks without end leaves turns to the others', async () => {
  let greedy = 0;
  const { port } = await listen((query) => {
    if (query.length === 1) greedy += 1;
    return query;
  });
  const socket = connectTo(port);
  const polite = connectTo(port);
  await Promise.all([once(socket, 'connect'), once(polite, 'connect')]);
  socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => frame('x'))));
  socket.resume();
  polite.write(frame('please'));
  expect(await read(polite, 8)).toBe('\0\x06please');
  expect(greedy).toBeLessThan(20_000);
});
