import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import { listAll } from '../../runtime/store/mirror.ts';
import type { Stored, TokenRecord } from '../../runtime/store/records.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { Author, RecordOperation, Writer } from '../../runtime/store/writer.ts';

export const TOKEN_TTL_S_DEFAULT = 15 * 60;
export const TOKEN_TTL_S_MAX = 60 * 60;
/** How many unredeemed tokens there may be. */
export const TOKENS_MAX = 1000;
const ID_BYTES = 8;
const SECRET_BYTES = 24;
/** How many expired tokens one commit removes. */
const SWEEP_BATCH = 50;

export interface CreatedToken {
  readonly id: string;
  /** "<id>.<secret>", shown once and kept nowhere. */
  readonly token: string;
  readonly expiresMs: number;
}

export interface ListedToken {
  readonly id: string;
  /** Empty: good for any new node. */
  readonly node: string;
  readonly expiresMs: number;
  readonly createdBy: string;
}

export interface Redemption {
  readonly id: string;
  /** Empty: good for any new node. */
  readonly node: string;
  /**
   * Deletes the token, if it is still as it was read. Commit it together with what the token buys:
   * then it is redeemed exactly once, also across a crash (INV-35).
   */
  readonly operation: RecordOperation;
}

/**
 * Join tokens: short-lived, good once, stored as a hash.
 *
 * Guarantees: from the moment `expiresMs` on a token is worth nothing, whether swept or not, and also
 * when the wall clock is set back while this dom knows it.
 * Errors: a `RequestError` whose message is meant for the caller.
 */
export interface Tokens {
  create(request: {
    /** Good for this node only; empty: for any that does not exist yet. */
    readonly node: string;
    /** At most TOKEN_TTL_S_MAX; 0: the default. */
    readonly ttlS: number;
    readonly createdBy: string;
  }): Promise<CreatedToken>;
  /** Those that can still be redeemed, sorted by id. */
  list(): Promise<readonly ListedToken[]>;
  revoke(id: string, revokedBy: string): Promise<void>;
  /** Checks a token for the node that shows it. Writes nothing: see `Redemption.operation`. */
  redeem(token: string, node: string): Promise<Redemption>;
  /** Removes expired tokens; returns how many. To be called from time to time. */
  sweep(): Promise<number>;
}

export function createTokens(ports: {
  readonly store: Store;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
}): Tokens {
  const { store, writer, clock, random } = ports;
  /** By id, monotonic: when each ends by the earliest that the wall clock ever said. */
  const ends = new Map<string, number>();

  async function read(id: string): Promise<Stored<TokenRecord> | undefined> {
    const item = await store.get(recordKey('token', id));
    return item === undefined ? undefined : parseStored(item);
  }

  async function readAll(): Promise<readonly (readonly [string, Stored<TokenRecord>])[]> {
    const prefix = recordKey('token', '');
    const { items } = await listAll(store, prefix);
    const all = items.map((item) => [item.key.slice(prefix.length), parseStored(item)] as const);
    const ids = new Set(all.map(([id]) => id));
    for (const id of ends.keys()) if (!ids.has(id)) ends.delete(id);
    return all;
  }

  /** A clock that is set back must not bring a token back to life (INV-35). */
  function isExpired(id: string, { value }: Stored<TokenRecord>): boolean {
    const nowMs = clock.monotonicMs();
    const endMs = Math.min(nowMs + value.expiresMs - clock.nowMs(), ends.get(id) ?? Infinity);
    ends.set(id, endMs);
    return nowMs >= endMs;
  }

  return {
    async create({ node, ttlS, createdBy }) {
      const ttlMs = ttlMsOf(ttlS);
      const [expiresMs, endMs] = [clock.nowMs() + ttlMs, clock.monotonicMs() + ttlMs];
      // Those that have expired are swept soon; nobody need wait for that.
      const alive = (await readAll()).filter(([id, stored]) => !isExpired(id, stored));
      if (alive.length >= TOKENS_MAX) throw tooMany();
      const id = Buffer.from(random.bytes(ID_BYTES)).toString('hex');
      const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
      const value = { secretHash: hashOf(secret).toString('hex'), node, expiresMs, createdBy };
      const created = await writer.commit(
        [{ kind: 'record', record: 'token', id, value, modRevision: 0n }],
        authorOf(createdBy),
      );
      if (created.outcome === 'conflict') throw changedMeanwhile();
      ends.set(id, endMs);
      return { id, token: `${id}.${secret}`, expiresMs };
    },

    async list() {
      const alive = (await readAll()).filter(([id, stored]) => !isExpired(id, stored));
      return alive.map(([id, { value }]) => {
        const { node, expiresMs, createdBy } = value;
        return { id, node, expiresMs, createdBy };
      });
    },

    async revoke(id, revokedBy) {
      const stored = ID.test(id) ? await read(id) : undefined;
      if (stored === undefined) throw new RequestError('NOT_FOUND', `token "${id}" not found`);
      const revoked = await writer.commit([deletion(id, stored)], authorOf(revokedBy));
      // Redeemed or swept in between is gone as well; a lost lead is not.
      if (revoked.outcome === 'conflict' && (await read(id)) !== undefined)
        throw changedMeanwhile();
    },

    async redeem(token, node) {
      const { id, secret } = parseToken(token);
      const stored = await read(id);
      // A wrong secret sounds like a wrong id: nobody learns which ids exist.
      if (stored === undefined || !isSecret(secret, stored.value)) throw unknownToken();
      if (isExpired(id, stored)) throw expiredToken();
      const bound = stored.value.node;
      if (bound !== '' && bound !== node) throw foreignToken(bound, node);
      return { id, node: bound, operation: deletion(id, stored) };
    },

    async sweep() {
      const expired = (await readAll()).filter(([id, stored]) => isExpired(id, stored));
      for (let start = 0; start < expired.length; start += SWEEP_BATCH) {
        const some = expired.slice(start, start + SWEEP_BATCH);
        const batch = some.map(([id, stored]) => deletion(id, stored));
        const swept = await writer.commit(batch, authorOf('dom'));
        if (swept.outcome !== 'written') return start;
      }
      return expired.length;
    },
  };
}

const ID = /^[0-9a-f]{16}$/;
const TOKEN = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{32})$/;

function parseToken(token: string): { readonly id: string; readonly secret: string } {
  const [, id, secret] = TOKEN.exec(token) ?? [];
  if (id === undefined || secret === undefined) {
    throw new RequestError(
      'UNAUTHENTICATED',
      'This is not a join token: pass the whole "<id>.<secret>" that "b8sctl node token create" printed',
    );
  }
  return { id, secret };
}

function ttlMsOf(ttlS: number): number {
  if (ttlS === 0) return TOKEN_TTL_S_DEFAULT * 1000;
  if (Number.isInteger(ttlS) && ttlS > 0 && ttlS <= TOKEN_TTL_S_MAX) return ttlS * 1000;
  throw new RequestError(
    'INVALID_ARGUMENT',
    `A token lives for 1 to ${TOKEN_TTL_S_MAX} seconds, not ${ttlS}`,
  );
}

function isSecret(secret: string, { secretHash }: TokenRecord): boolean {
  const expected = Buffer.from(secretHash, 'hex');
  const actual = hashOf(secret);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function deletion(id: string, { modRevision }: Stored<TokenRecord>): RecordOperation {
  return { kind: 'record', record: 'token', id, value: undefined, modRevision };
}

function parseStored(item: { value: string; modRevision: bigint }): Stored<TokenRecord> {
  return { value: JSON.parse(item.value) as TokenRecord, modRevision: item.modRevision };
}

function authorOf(user: string): Author {
  return { manager: 'tokens', user };
}

function unknownToken(): RequestError {
  return new RequestError(
    'UNAUTHENTICATED',
    'This join token is unknown or was used already: make a new one with "b8sctl node token create"',
  );
}

function expiredToken(): RequestError {
  return new RequestError(
    'UNAUTHENTICATED',
    'This join token has expired: make a new one with "b8sctl node token create"',
  );
}

function foreignToken(bound: string, node: string): RequestError {
  return new RequestError(
    'PERMISSION_DENIED',
    `This join token is good for node "${bound}" only, not for "${node}"`,
  );
}

function tooMany(): RequestError {
  return new RequestError(
    'RESOURCE_EXHAUSTED',
    `There are ${TOKENS_MAX} unused tokens already: revoke some, or wait until they expire`,
  );
}

function changedMeanwhile(): RequestError {
  return new RequestError(
    'ABORTED',
    'The tokens changed meanwhile, or this dom lost the lead: try again',
  );
}
