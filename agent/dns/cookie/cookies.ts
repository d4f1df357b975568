import { SipHash } from './siphash.ts';

/** The COOKIE option of a query (RFC 7873 §4). */
export interface Cookie {
  /** 8 bytes. */
  readonly client: Uint8Array;
  /** What a server once gave this client, 8 to 32 bytes; empty: it has none yet. */
  readonly server: Uint8Array;
}

/** `valid`: the client once got an answer at this address, so it is not a forged one. */
export type CookieStanding = 'none' | 'client-only' | 'invalid' | 'valid';

export interface CookieAsked {
  readonly cookie: Cookie;
  /** 4 or 16 bytes. */
  readonly client: Uint8Array;
  /** Wall time: a cookie is good at every nameserver of the cluster. */
  readonly nowMs: number;
}

export interface CookieAnswer {
  readonly standing: 'client-only' | 'invalid' | 'valid';
  /** 16 bytes, to be sent back after the client's 8. */
  readonly server: Uint8Array;
}

/** A cookie where it lies in a query: the client's 8 bytes, then those of a server. */
export interface CookiePlace {
  readonly message: Uint8Array;
  readonly at: number;
  /** 0 or 8 to 32. */
  readonly serverBytes: number;
}

export interface Cookies {
  judge(asked: CookieAsked): CookieAnswer;
  /** The same, and writes the server's 16 bytes into `server`; makes nothing. */
  judgeInto(
    place: CookiePlace,
    client: Uint8Array,
    nowMs: number,
    server: Uint8Array,
  ): CookieAnswer['standing'];
}

/** RFC 9018 §4.3: older ones are not taken, nor those from further ahead than clocks go wrong. */
const AGE_S_MAX = 3600;
const AHEAD_S_MAX = 300;
/** Older ones are taken, but replaced. */
const AGE_S_FRESH_MAX = 1800;

const VERSION = 1;
const CLIENT_BYTES = 8;
const SERVER_BYTES = 16;
const HASH_AT = 8;

/**
 * Server cookies that any implementation with the same secret makes and takes (RFC 9018 §4).
 * Undefined without a secret: then no cookie is given, and none is valid.
 *
 * @param secrets 16 bytes each. The first makes cookies; all are accepted, so that a cookie lives
 *   through the change of the secret, and one made by a nameserver that changed first is good at
 *   those that have not (§5).
 */
export function createCookies(secrets: readonly Uint8Array[]): Cookies | undefined {
  const hashes = secrets.map((secret) => new SipHash(secret));
  const [active] = hashes;
  return active === undefined ? undefined : new SecretCookies(active, hashes);
}

class SecretCookies implements Cookies {
  readonly #active: SipHash;
  readonly #all: readonly SipHash[];
  /** RFC 9018 §4.4: client cookie, version, reserved, timestamp, client address. */
  readonly #input: Uint8Array = new Uint8Array(CLIENT_BYTES + HASH_AT + 16);
  readonly #hash: Uint8Array = new Uint8Array(SERVER_BYTES - HASH_AT);

  constructor(active: SipHash, all: readonly SipHash[]) {
    this.#active = active;
    this.#all = all;
  }

  judge({ cookie, client, nowMs }: CookieAsked): CookieAnswer {
    const message = Buffer.concat([cookie.client, cookie.server]);
    const server = new Uint8Array(SERVER_BYTES);
    const place = { message, at: 0, serverBytes: cookie.server.length };
    return { standing: this.judgeInto(place, client, nowMs, server), server };
  }

  judgeInto(
    { message, at, serverBytes }: CookiePlace,
    client: Uint8Array,
    nowMs: number,
    server: Uint8Array,
  ): CookieAnswer['standing'] {
    const nowS = Math.floor(nowMs / 1000);
    const from = at + CLIENT_BYTES;
    const ageS = ageOf(message, from, serverBytes, nowS);
    const maker = ageS === undefined ? undefined : this.#makerOf(message, at, client);
    // Only the active secret's cookies are kept, so that the others can go.
    if (maker === this.#active && (ageS ?? AGE_S_MAX) <= AGE_S_FRESH_MAX && isPlain(message, from))
      copy(message, from, server, SERVER_BYTES);
    else this.#make(message, at, client, nowS, server);
    if (serverBytes === 0) return 'client-only';
    return maker === undefined ? 'invalid' : 'valid';
  }

  #makerOf(message: Uint8Array, at: number, client: Uint8Array): SipHash | undefined {
    const input = this.#input;
    copy(message, at, input, CLIENT_BYTES + HASH_AT);
    for (const hash of this.#all) {
      this.#hashInput(hash, client);
      // In constant time, lest the hash be guessed byte by byte.
      let difference = 0;
      for (let index = 0; index < SERVER_BYTES - HASH_AT; index += 1) {
        const sent = message[at + CLIENT_BYTES + HASH_AT + index] ?? 0;
        difference |= (this.#hash[index] ?? 0) ^ sent;
      }
      if (difference === 0) return hash;
    }
    return undefined;
  }

  #make(
    message: Uint8Array,
    at: number,
    client: Uint8Array,
    nowS: number,
    server: Uint8Array,
  ): void {
    server[0] = VERSION;
    server[1] = server[2] = server[3] = 0;
    for (let index = 0; index < 4; index += 1) server[4 + index] = nowS >>> (24 - 8 * index);
    copy(message, at, this.#input, CLIENT_BYTES);
    this.#input.set(server.subarray(0, HASH_AT), CLIENT_BYTES);
    this.#hashInput(this.#active, client);
    server.set(this.#hash, HASH_AT);
  }

  /** Of what the input begins with, and the client's address. */
  #hashInput(hash: SipHash, client: Uint8Array): void {
    const start = CLIENT_BYTES + HASH_AT;
    for (let index = 0; index < client.length; index += 1)
      this.#input[start + index] = client[index] ?? 0;
    hash.hashInto(this.#input, start + client.length, this.#hash);
  }
}

/** Seconds, negative if it is from ahead; undefined: of another making, or not of this hour. */
function ageOf(
  message: Uint8Array,
  at: number,
  serverBytes: number,
  nowS: number,
): number | undefined {
  if (serverBytes !== SERVER_BYTES || message[at] !== VERSION) return undefined;
  // Serial number arithmetic (RFC 1982): the field has 32 bits.
  const madeS =
    ((message[at + 4] ?? 0) << 24) |
    ((message[at + 5] ?? 0) << 16) |
    ((message[at + 6] ?? 0) << 8) |
    (message[at + 7] ?? 0);
  const ageS = (nowS - madeS) | 0;
  return ageS <= AGE_S_MAX && ageS >= -AHEAD_S_MAX ? ageS : undefined;
}

/** RFC 9018 §4.2: its reserved bytes are hashed as they came, but ours are zero. */
function isPlain(message: Uint8Array, at: number): boolean {
  return message[at + 1] === 0 && message[at + 2] === 0 && message[at + 3] === 0;
}

function copy(from: Uint8Array, at: number, to: Uint8Array, bytes: number): void {
  for (let index = 0; index < bytes; index += 1) to[index] = from[at + index] ?? 0;
}
