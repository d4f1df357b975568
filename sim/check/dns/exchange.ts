import { type DnsReply, decodeReply } from '../../load/dns-client.ts';
import { type DnsQuery, readQuery } from '../../load/dns-query.ts';
import type { DnsExchange } from '../check.ts';

const replies = new WeakMap<DnsExchange, DnsReply>();
const queries = new WeakMap<DnsExchange, { readonly query: DnsQuery | undefined }>();

/**
 * What came back: many checks want to know, and it is read once. Undefined: nothing came. Throws as
 * `decodeReply` does.
 */
export function replyOf(exchange: DnsExchange): DnsReply | undefined {
  if (exchange.reply === undefined) return undefined;
  const known = replies.get(exchange);
  if (known !== undefined) return known;
  const reply = decodeReply(exchange.reply);
  replies.set(exchange, reply);
  return reply;
}

/** What was asked; undefined: it is not as a resolver of sound mind asks. Read once, too. */
export function queryOf(exchange: DnsExchange): DnsQuery | undefined {
  const known = queries.get(exchange);
  if (known !== undefined) return known.query;
  const query = readQuery(exchange.query);
  queries.set(exchange, { query });
  return query;
}
