import { decodeReply, TYPE_A } from '../load/dns-client.ts';
import { ORIGIN } from '../load/wish.ts';
import type { Check, CheckPorts, DnsExchange } from './check.ts';
import { Past, siteOf } from './past.ts';

/** INV-21: a nameserver that has named a node for a site always names one. */
export function answersCheck({ violated }: CheckPorts): Check {
  const past = new Past();
  /** Nameserver and name. */
  const armed = new Set<string>();
  const disarm = (belongs: (key: string) => boolean): void => {
    for (const key of [...armed]) if (belongs(key)) armed.delete(key);
  };
  return {
    committed(commit) {
      past.committed(commit);
      for (const { kind, key } of commit.transaction.writes) {
        if (kind !== 'delete') continue;
        // The name may be unknown anywhere from now on.
        if (key.startsWith('/b8s/zones/')) armed.clear();
        if (key.startsWith('/b8s/sites/'))
          disarm((each) => each.endsWith(` ${key.split('/').at(-1)}.${ORIGIN}`));
      }
    },
    moved: (position) => past.moved(position),
    installed(node) {
      past.installed(node);
      disarm((each) => each.startsWith(`${node} `));
    },
    asked({ nameserver, name, type, reply }: DnsExchange) {
      if (type !== TYPE_A || !name.endsWith(`.${ORIGIN}`)) return;
      const key = `${nameserver} ${name}`;
      const { rcode, addresses } =
        reply === undefined ? { rcode: -1, addresses: [] } : decodeReply(reply);
      const isEmpty = rcode !== 0 || addresses.length === 0;
      const isCurrent = past.knowsZone(nameserver) && past.namesSite(nameserver, siteOf(name));
      if (!isEmpty && isCurrent) armed.add(key);
      else if (isEmpty && armed.has(key))
        violated(21, `${nameserver} answers ${replyText(rcode)} for ${name}, which it knew`);
    },
  };
}

function replyText(rcode: number): string {
  if (rcode === -1) return 'nothing';
  return rcode === 0 ? 'an empty set' : `rcode ${rcode}`;
}
