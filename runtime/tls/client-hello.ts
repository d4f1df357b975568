/** What the first bytes of a connection say. */
export type HelloOutcome =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** It has not come whole; it is worth looking again with this many bytes. */
  | { readonly kind: 'more'; readonly bytesMin: number }
  /** It is no ClientHello, or one that is broken, or longer than anyone sends. */
  | { readonly kind: 'other' };

export interface ClientHello {
  /** As sent (RFC 6066 §3); undefined: no name was sent. */
  readonly serverName: string | undefined;
  /** As offered, in order (RFC 7301 §3.1), bytes as Latin-1; empty: none. */
  readonly protocols: readonly string[];
}

/** Of all records together; a ClientHello with post-quantum keys has about 1,800 bytes. */
export const CLIENT_HELLO_BYTES_MAX = 16_384;
const RECORDS_MAX = 32;
/** RFC 8446 §5.1. */
const FRAGMENT_BYTES_MAX = 16_384;
const RECORD_HEAD_BYTES = 5;
const MESSAGE_HEAD_BYTES = 4;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const PROTOCOLS = 16;

/**
 * Reads a ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2), which may lie in several records. Pure;
 * never throws, whatever the bytes are; what it does not know, such as values that only grease
 * (RFC 8701), it passes over.
 */
export function parseClientHello(bytes: Uint8Array): HelloOutcome {
  const message = firstMessage(bytes);
  if (!(message instanceof Uint8Array)) return message;
  const reader = new Reader(message);
  reader.skip(2 + 32);
  reader.skip(reader.number(1));
  reader.skip(reader.number(2));
  reader.skip(reader.number(1));
  // TLS 1.2 needs no extensions at all.
  const extensions = reader.isAtEnd ? new Reader(new Uint8Array()) : reader.block(2);
  const found = readExtensions(extensions);
  return found === undefined || !reader.isWhole ? OTHER : { kind: 'hello', hello: found };
}

const OTHER: HelloOutcome = { kind: 'other' };

/** The body of the first handshake message, put together from its records. */
function firstMessage(bytes: Uint8Array): Uint8Array | HelloOutcome {
  const fragments: Uint8Array[] = [];
  let at = 0;
  for (let count = 0; count < RECORDS_MAX; count += 1) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE) return OTHER;
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return OTHER;
    const bodyAt = at + RECORD_HEAD_BYTES;
    if (bytes.length < bodyAt) return more(bodyAt);
    const lengthBytes = (bytes[at + 3] ?? 0) * 256 + (bytes[at + 4] ?? 0);
    if (lengthBytes === 0 || lengthBytes > FRAGMENT_BYTES_MAX) return OTHER;
    const end = bodyAt + lengthBytes;
    if (bytes.length < end) return more(end);
    fragments.push(bytes.subarray(bodyAt, end));
    const joined = fragments.length === 1 ? fragments[0] : Buffer.concat(fragments);
    const message = messageIn(joined ?? bytes);
    if (message !== undefined) return message;
    at = end;
  }
  return OTHER;
}

/** Undefined: the next record is needed, too. */
function messageIn(bytes: Uint8Array): Uint8Array | HelloOutcome | undefined {
  if (bytes[0] !== CLIENT_HELLO) return OTHER;
  if (bytes.length < MESSAGE_HEAD_BYTES) return undefined;
  const lengthBytes = new Reader(bytes.subarray(1)).number(3);
  if (lengthBytes > CLIENT_HELLO_BYTES_MAX) return OTHER;
  const end = MESSAGE_HEAD_BYTES + lengthBytes;
  return bytes.length < end ? undefined : bytes.subarray(MESSAGE_HEAD_BYTES, end);
}

function more(bytesMin: number): HelloOutcome {
  return bytesMin > CLIENT_HELLO_BYTES_MAX ? OTHER : { kind: 'more', bytesMin };
}

/** Undefined: they are broken. */
function readExtensions(extensions: Reader): ClientHello | undefined {
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  const seen = new Set<number>();
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = extensions.block(2);
    // None may come twice (RFC 8446 §4.2).
    if (seen.has(type)) return undefined;
    seen.add(type);
    if (type === SERVER_NAME) serverName = readServerName(data);
    else if (type === PROTOCOLS) protocols = readProtocols(data);
    else continue;
    if (!data.isWhole) return undefined;
  }
  return extensions.isWhole ? { serverName, protocols } : undefined;
}

function readServerName(data: Reader): string | undefined {
  let name: string | undefined;
  const list = data.block(2);
  while (!list.isAtEnd) {
    const type = list.number(1);
    const text = list.block(2).text();
    if (type === HOST_NAME) name ??= text;
  }
  if (!list.isWhole) data.fail();
  return name;
}

function readProtocols(data: Reader): readonly string[] {
  const protocols: string[] = [];
  const list = data.block(2);
  while (!list.isAtEnd) protocols.push(list.block(1).text());
  if (!list.isWhole) data.fail();
  return protocols;
}

/** Reads on from the start; past the end it reads nothing, and is broken from then on. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #isBroken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Nothing is left to be read, or can be. */
  get isAtEnd(): boolean {
    return this.#isBroken || this.#at >= this.#bytes.length;
  }

  /** All was read, and all of it was there. */
  get isWhole(): boolean {
    return !this.#isBroken && this.#at === this.#bytes.length;
  }

  fail(): void {
    this.#isBroken = true;
  }

  /** Big-endian, of 1 to 3 bytes. */
  number(sizeBytes: 1 | 2 | 3): number {
    return this.#take(sizeBytes).reduce((number, byte) => number * 256 + byte, 0);
  }

  skip(sizeBytes: number): void {
    this.#take(sizeBytes);
  }

  /** What a length of that many bytes is said to be of. */
  block(lengthSizeBytes: 1 | 2): Reader {
    return new Reader(this.#take(this.number(lengthSizeBytes)));
  }

  /** All that is left, as Latin-1. */
  text(): string {
    return Buffer.from(this.#take(this.#bytes.length - this.#at)).toString('latin1');
  }

  #take(sizeBytes: number): Uint8Array {
    const end = this.#at + sizeBytes;
    if (this.#isBroken || end > this.#bytes.length) {
      this.#isBroken = true;
      return new Uint8Array();
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
