import { Resolver as SystemResolver } from 'node:dns/promises';
import type { ResolvedAddresses, Resolver } from '../dns/resolver.ts';

export interface NodeResolverOptions {
  /** `address` or `address:port` of those to ask; left out: those that the machine asks. */
  readonly servers?: readonly string[];
  /** For the first answer; later tries wait longer. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 2_000;
const TRIES = 2;

/** Asks by DNS alone: neither the hosts file nor search domains are looked at. */
export function nodeResolver({
  servers,
  timeoutMs = TIMEOUT_MS,
}: NodeResolverOptions = {}): Resolver {
  return {
    addresses: async (name, family, signal) => {
      signal.throwIfAborted();
      // One for each question: a cancel ends all that a resolver has under way.
      const resolver = new SystemResolver({ timeout: timeoutMs, tries: TRIES });
      if (servers !== undefined) resolver.setServers(servers);
      const cancel = (): void => resolver.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await ask(resolver, name, family);
      } catch (cause) {
        throw new Error(`look ${name} ${family} up`, { cause });
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

async function ask(
  resolver: SystemResolver,
  name: string,
  family: 'A' | 'AAAA',
): Promise<ResolvedAddresses> {
  try {
    const options = { ttl: true } as const;
    const records = await (family === 'A'
      ? resolver.resolve4(name, options)
      : resolver.resolve6(name, options));
    const addresses = records.map(({ address }) => address);
    return { addresses, ttlS: Math.min(...records.map(({ ttl }) => ttl)) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (NOTHING_THERE.has(code)) return { addresses: [], ttlS: undefined };
    throw error;
  }
}

/** NXDOMAIN, and NOERROR without such records. */
const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);
