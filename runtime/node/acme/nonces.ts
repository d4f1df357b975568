import type { Clock } from '../../clock.ts';

/** Nonces that CAs gave out and nobody used yet (RFC 8555 §6.5). */
export interface NoncePool {
  /** The newest one, which the CA is most likely to know still; undefined: none is left. */
  take(newNonceUrl: string): string | undefined;
  put(newNonceUrl: string, nonce: string | undefined): void;
}

const NONCES_MAX = 32;
const POOLS_MAX = 16;
/** CAs forget them after minutes to hours; one that is forgotten costs a request. */
const NONCE_KEPT_MS = 5 * 60_000;

export function createNoncePool(clock: Clock): NoncePool {
  const pools = new Map<string, readonly Kept[]>();

  function fresh(url: string): readonly Kept[] {
    const oldestMs = clock.monotonicMs() - NONCE_KEPT_MS;
    return (pools.get(url) ?? []).filter((kept) => kept.sinceMs >= oldestMs);
  }

  return {
    take(url) {
      const kept = fresh(url);
      pools.set(url, kept.slice(0, -1));
      return kept.at(-1)?.nonce;
    },
    put(url, nonce) {
      if (nonce === undefined) return;
      const kept = [...fresh(url), { nonce, sinceMs: clock.monotonicMs() }].slice(-NONCES_MAX);
      pools.delete(url);
      pools.set(url, kept);
      const [oldest] = pools.keys();
      if (pools.size > POOLS_MAX && oldest !== undefined) pools.delete(oldest);
    },
  };
}

interface Kept {
  readonly nonce: string;
  readonly sinceMs: number;
}
