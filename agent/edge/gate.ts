import { createHash } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import type { PasswordHasher } from '../../runtime/secret/password-hash.ts';
import type { AccessCheck } from './rules/access.ts';

/** `busy`: nobody has looked at the password; later somebody may. */
export type Verdict = 'granted' | 'refused' | 'busy';

export interface GateParts {
  readonly hasher: Pick<PasswordHasher, 'verify'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Credentials that were found right and are not hashed again; the longest known go first. */
export const KNOWN_MAX = 1000;
/** Wrong ones that one address may send in a row; after that one a minute and tenth. */
export const WRONG_MAX = 10;
export const WRONG_AGAIN_MS = 6_000;
/** Addresses that wrong ones are remembered of; the longest known go first. */
export const ADDRESSES_MAX = 10_000;
/** Passwords that are looked at or wait for it. Each takes a processor for a while. */
export const WAITING_MAX = 16;

/**
 * Looks at passwords: each is hashed once, however many files a page has, and of what one address
 * guesses only a little is looked at. Nothing of a password is kept but a digest.
 */
export class Gate {
  readonly #parts: GateParts;
  readonly #known = new Set<string>();
  readonly #looking = new Map<string, Promise<Verdict>>();
  /** By address: how many it may still send, as of when. */
  readonly #left = new Map<string, { readonly count: number; readonly atMs: number }>();

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** `address`: of the client; empty: not known, and then all of them are one. */
  check(check: AccessCheck, address: string): Verdict | Promise<Verdict> {
    const key = keyOf(check);
    if (this.#known.has(key)) return 'granted';
    const ongoing = this.#looking.get(key);
    if (ongoing !== undefined) return ongoing;
    const network = networkOf(address);
    if (this.#looking.size >= WAITING_MAX || !this.#take(network)) return 'busy';
    const verdict = this.#look(check, key, network);
    this.#looking.set(key, verdict);
    return verdict;
  }

  async #look(check: AccessCheck, key: string, network: string): Promise<Verdict> {
    try {
      const isRight = await this.#parts.hasher.verify(check.password, check.hash);
      if (!isRight || check.isUnknown) return 'refused';
      this.#left.delete(network);
      this.#known.add(key);
      const [oldest] = this.#known;
      if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
      return 'granted';
    } catch {
      return 'busy';
    } finally {
      this.#looking.delete(key);
    }
  }

  /** Takes one of those that the network may send; false: it has to wait. */
  #take(network: string): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    const { count, atMs } = this.#left.get(network) ?? { count: WRONG_MAX, atMs: nowMs };
    const grown = Math.min(WRONG_MAX, count + (nowMs - atMs) / WRONG_AGAIN_MS);
    this.#left.delete(network);
    const isLeft = grown >= 1;
    this.#left.set(network, { count: isLeft ? grown - 1 : grown, atMs: nowMs });
    const [oldest] = this.#left.keys();
    if (this.#left.size > ADDRESSES_MAX && oldest !== undefined) this.#left.delete(oldest);
    return isLeft;
  }
}

/** The hash has its own salt, so that equal passwords have other digests elsewhere. */
function keyOf({ user, password, hash }: AccessCheck): string {
  const parts = [hash, user, password].map((part) => `${part.length}:${part}`);
  return createHash('sha256').update(parts.join('')).digest('base64');
}

/** A client with IPv6 has a /64 to choose addresses from. */
function networkOf(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/iu, '');
  if (!bare.includes(':')) return bare;
  const [head = '', tail = ''] = bare.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = bare.includes('::') ? [...before, ...zeros, ...after] : before;
  return groups.slice(0, 4).join(':');
}
