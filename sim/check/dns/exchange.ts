import { type DnsReply, readReply } from '../../load/dns-client.ts';
import { type DnsQuery, readQuery } from '../../load/dns-query.ts';
import type { DnsExchange } from '../check.ts';

const queries = new WeakMap<DnsExchange, { readonly query: DnsQuery | undefined }>();

/** What came back. Undefined: nothing came. Throws as `readReply` does. */
export function replyOf({ reply }: DnsExchange): DnsReply | undefined {
  return reply === undefined ? undefined : readReply(reply);
}

/** What was asked; undefined: it is not as a resolver of sound mind asks. Read once for all checks. */
export function queryOf(exchange: DnsExchange): DnsQuery | undefined {
  const known = queries.get(exchange);
  if (known !== undefined) return known.query;
  const query = readQuery(exchange.query);
  queries.set(exchange, { query });
  return query;
}
