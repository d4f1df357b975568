import type { Socket } from 'node:net';
import type { DnsAnswerer, DnsPeer, DnsStream } from '../../dns/reply.ts';

/** Longest query that is read; an honest one is a question, a few options, and padding. */
export const TCP_QUERY_BYTES_MAX = 4096;
/** Messages that one connection gets in one turn, before others have theirs. */
export const TURN_MESSAGES_MAX = 128;
/** Answers are gathered up to about this much, and go out in one write (RFC 7766 §8). */
const WRITE_BYTES = 16 * 1024;

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly peer: DnsPeer;
  readonly answer: DnsAnswerer;
  readonly onError: (error: Error) => void;
  /** It has asked something, or taken an answer. */
  readonly onActivity: () => void;
  /** A long answer begins or ends: until then the connection is not to make way for others. */
  readonly onStream: (change: 'begins' | 'ends') => void;
  readonly limits: {
    readonly idleMs: number;
    readonly stallMs: number;
  };
}

/**
 * Serves one connection: each message after its length in two bytes, answers in the order of the
 * queries (RFC 7766 §6.2.1.1 and §7 allow any order; this one needs no memory of its own).
 *
 * Nothing grows with what the peer does: while it does not read its answers, no more are made, and
 * while answers wait, none of its bytes are read.
 */
export function serveConnection(options: ConnectionOptions): void {
  new Connection(options).start();
}

class Connection {
  readonly #options: ConnectionOptions;
  readonly #idle: NodeJS.Timeout;
  #received: Buffer = Buffer.alloc(0);
  /** Answers to be written. */
  #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  #stream: DnsStream | undefined;
  /** Set while the peer has to read before more is made. */
  #stalled: NodeJS.Timeout | undefined;
  /** Set while other connections have their turn. */
  #resting: NodeJS.Immediate | undefined;
  #input: 'open' | 'ended' = 'open';

  constructor(options: ConnectionOptions) {
    this.#options = options;
    // Whole queries keep a connection alive, single bytes do not.
    this.#idle = setTimeout(() => this.#idleTooLong(), options.limits.idleMs);
  }

  start(): void {
    const { socket } = this.#options;
    socket.on('data', (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#work();
    });
    // A peer that has nothing more to ask still wants its answers.
    socket.on('end', () => {
      this.#input = 'ended';
      this.#work();
    });
    socket.on('drain', () => {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
      this.#sawLife();
      // What the kernel took at once comes here before any other event: to go on now would leave
      // no turn to the others for as long as the peer reads as fast as we write.
      this.#rest();
    });
    // A reset is the peer's affair; 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(this.#idle);
      clearTimeout(this.#stalled);
      clearImmediate(this.#resting);
      this.#endStream();
    });
  }

  /** Answers until there is nothing left to answer, or the peer must read first. */
  #work(): void {
    const { socket, onError } = this.#options;
    if (this.#stalled !== undefined || this.#resting !== undefined || socket.destroyed) return;
    try {
      const outcome = this.#answerSome();
      if (socket.destroyed) return;
      this.#flush();
      if (outcome === 'more' && this.#stalled === undefined) this.#rest();
      const isDone = outcome === 'done' && this.#input === 'ended';
      if (isDone && this.#stalled === undefined) socket.end();
    } catch (error) {
      onError(error as Error);
      socket.destroy();
    }
  }

  /** `more`: something is left, for after the others' turn or once the peer has read. */
  #answerSome(): 'done' | 'more' {
    for (let count = 0; count < TURN_MESSAGES_MAX; count += 1) {
      if (this.#stream !== undefined) {
        // To make one takes as long as to answer many queries.
        this.#pull(this.#stream);
        return 'more';
      }
      if (this.#answerNext() === 'nothing') return 'done';
      if (this.#outboxBytes >= WRITE_BYTES) this.#flush();
      if (this.#stalled !== undefined) return 'more';
    }
    return 'more';
  }

  #answerNext(): 'something' | 'nothing' {
    const { socket, peer, answer } = this.#options;
    const frame = takeFrame(this.#received);
    if (frame === 'partial') return 'nothing';
    const reply = frame === 'too-long' ? undefined : answer(frame.query, peer);
    if (frame === 'too-long' || reply === undefined) {
      // What was answered before still goes out.
      this.#flush();
      socket.destroySoon();
      return 'nothing';
    }
    this.#received = frame.rest;
    this.#sawLife();
    if (reply instanceof Uint8Array) this.#put(reply);
    else this.#beginStream(reply);
    return 'something';
  }

  #pull(stream: DnsStream): void {
    const message = stream.next();
    if (message === undefined) this.#endStream();
    else this.#put(message);
  }

  #put(message: Uint8Array): void {
    this.#outbox.push(message);
    this.#outboxBytes += 2 + message.length;
  }

  #flush(): void {
    const { socket, limits } = this.#options;
    if (this.#outbox.length === 0 || socket.destroyed) return;
    const bytes = framed(this.#outbox, this.#outboxBytes);
    this.#outbox = [];
    this.#outboxBytes = 0;
    if (socket.write(bytes)) return;
    socket.pause();
    this.#stalled ??= setTimeout(() => socket.destroy(), limits.stallMs);
  }

  #rest(): void {
    const { socket } = this.#options;
    socket.pause();
    this.#resting ??= setImmediate(() => {
      this.#resting = undefined;
      socket.resume();
      this.#work();
    });
  }

  #sawLife(): void {
    this.#idle.refresh();
    this.#options.onActivity();
  }

  #idleTooLong(): void {
    // Waiting for the peer to read has a limit of its own.
    if (this.#stalled !== undefined || this.#stream !== undefined) this.#idle.refresh();
    else this.#options.socket.destroy();
  }

  #beginStream(stream: DnsStream): void {
    this.#stream = stream;
    this.#options.onStream('begins');
  }

  #endStream(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    this.#options.onStream('ends');
    stream.end();
  }
}

/** Messages one after the other, each after its length; `bytes` in all. */
function framed(messages: readonly Uint8Array[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafe(bytes);
  let offset = 0;
  for (const message of messages) {
    offset = whole.writeUInt16BE(message.length, offset);
    whole.set(message, offset);
    offset += message.length;
  }
  return whole;
}

/** The first whole query, if it is there. */
function takeFrame(
  received: Buffer,
): { readonly query: Buffer; readonly rest: Buffer } | 'partial' | 'too-long' {
  if (received.length < 2) return 'partial';
  const end = 2 + received.readUInt16BE(0);
  if (end - 2 > TCP_QUERY_BYTES_MAX) return 'too-long';
  if (received.length < end) return 'partial';
  return { query: received.subarray(2, end), rest: received.subarray(end) };
}
