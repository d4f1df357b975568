import { Resolver } from 'node:dns/promises';
import type { PublicDns, PublicType } from '../dns/public-dns.ts';

export interface NodePublicDnsOptions {
  /** `address` or `address:port` of those to ask; left out: those that the machine asks. */
  readonly servers?: readonly string[];
  /** For the first answer; later tries wait longer. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 2_000;
const TRIES = 2;
/** More of one name and type are not looked at. */
const RECORDS_MAX = 100;

/** Asks by DNS alone: neither the hosts file nor search domains are looked at. */
export function nodePublicDns({
  servers,
  timeoutMs = TIMEOUT_MS,
}: NodePublicDnsOptions = {}): PublicDns {
  return {
    lookup: async (name, type, signal) => {
      signal.throwIfAborted();
      // One for each question: a cancel ends all that a resolver has under way.
      const resolver = new Resolver({ timeout: timeoutMs, tries: TRIES });
      if (servers !== undefined) resolver.setServers(servers);
      const cancel = (): void => resolver.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return (await ask(resolver, name, type)).slice(0, RECORDS_MAX);
      } catch (cause) {
        const { code = '' } = cause as NodeJS.ErrnoException;
        if (NOTHING_THERE.has(code)) return [];
        throw new Error(`look ${name} ${type} up`, { cause });
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

async function ask(resolver: Resolver, name: string, type: PublicType): Promise<readonly string[]> {
  switch (type) {
    case 'A':
      return await resolver.resolve4(name);
    case 'AAAA':
      return await resolver.resolve6(name);
    case 'NS':
      return (await resolver.resolveNs(name)).map(plain);
    case 'CNAME':
      return (await resolver.resolveCname(name)).map(plain);
    case 'CAA':
      return (await resolver.resolveCaa(name)).map(caaText);
  }
}

/** NXDOMAIN, and NOERROR without such records. */
const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** `critical` holds the flags, the tag is the name of the other member. */
function caaText({ critical, ...rest }: { readonly critical: number }): string {
  const [tag = '', value = ''] = Object.entries(rest).find(([name]) => name !== 'type') ?? [];
  return `${critical} ${tag.toLowerCase()} ${String(value)}`;
}
