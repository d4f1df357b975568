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

export interface Cookies {
  judge(asked: CookieAsked): CookieAnswer;
}

/** RFC 9018 §4.3: older ones are not taken, nor those from further ahead than clocks go wrong. */
const AGE_S_MAX = 3600;
const AHEAD_S_MAX = 300;
/** Older ones are taken, but replaced. */
const AGE_S_FRESH_MAX = 1800;

const VERSION = 1;
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
  if (active === undefined) return undefined;
  return {
    judge({ cookie, client, nowMs }) {
      const nowS = Math.floor(nowMs / 1000);
      const ageS = ageOf(cookie.server, nowS);
      const maker =
        ageS === undefined
          ? undefined
          : hashes.find((hash) => isMadeWith(hash, cookie.client, cookie.server, client));
      const isFresh = ageS !== undefined && ageS <= AGE_S_FRESH_MAX && isPlain(cookie.server);
      // Only the active secret's cookies are kept, so that the others can go.
      const isKept = isFresh && maker === active;
      return {
        standing: cookie.server.length === 0 ? 'client-only' : maker ? 'valid' : 'invalid',
        server: isKept ? cookie.server : make(active, cookie.client, client, nowS),
      };
    },
  };
}

/** Seconds, negative if it is from ahead; undefined: of another making, or not of this hour. */
function ageOf(server: Uint8Array, nowS: number): number | undefined {
  if (server.length !== SERVER_BYTES || server[0] !== VERSION) return undefined;
  // Serial number arithmetic (RFC 1982): the field has 32 bits.
  const ageS = (nowS - viewOf(server).getUint32(4)) | 0;
  return ageS <= AGE_S_MAX && ageS >= -AHEAD_S_MAX ? ageS : undefined;
}

/** RFC 9018 §4.2: its reserved bytes are hashed as they came, but ours are zero. */
function isPlain(server: Uint8Array): boolean {
  return server[1] === 0 && server[2] === 0 && server[3] === 0;
}

function make(
  hash: SipHash,
  clientCookie: Uint8Array,
  client: Uint8Array,
  nowS: number,
): Uint8Array {
  const server = new Uint8Array(SERVER_BYTES);
  server[0] = VERSION;
  viewOf(server).setUint32(4, nowS >>> 0);
  server.set(hash.hash(inputOf(clientCookie, server, client)), HASH_AT);
  return server;
}

function isMadeWith(
  hash: SipHash,
  clientCookie: Uint8Array,
  server: Uint8Array,
  client: Uint8Array,
): boolean {
  const expected = hash.hash(inputOf(clientCookie, server, client));
  // In constant time, lest the hash be guessed byte by byte.
  let difference = 0;
  for (let index = 0; index < HASH_AT; index += 1) {
    difference |= (expected[index] ?? 0) ^ (server[HASH_AT + index] ?? 0);
  }
  return difference === 0;
}

/** RFC 9018 §4.4: client cookie, version, reserved, timestamp, client address. */
function inputOf(clientCookie: Uint8Array, server: Uint8Array, client: Uint8Array): Uint8Array {
  const input = new Uint8Array(8 + HASH_AT + client.length);
  input.set(clientCookie);
  input.set(server.subarray(0, HASH_AT), 8);
  input.set(client, 8 + HASH_AT);
  return input;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
