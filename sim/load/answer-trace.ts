import type { Check, DnsExchange, HttpExchange } from '../check/check.ts';
import type { Trace } from '../engine/trace.ts';
import { positionWords } from '../net/frame-words.ts';
import { readReply } from './dns-client.ts';

/** The types that clients ask for, by number (RFC 1035 §3.2.2, RFC 3596 §2.1). */
const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  6: 'SOA',
  16: 'TXT',
  28: 'AAAA',
};
const RCODES: Readonly<Record<number, string>> = {
  ...{ 0: 'nothing', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 4: 'NOTIMP', 5: 'REFUSED' },
};
const ETAG_LENGTH_MAX = 20;

/**
 * Tells the trace what nodes answer to the public, and what they serve it from. No check, but it
 * sees what checks see; it comes first, so that what they find wrong comes after.
 */
export function answerTrace(trace: Trace): Check {
  /** By nameserver: the line of its last answer. */
  const answers = new Map<string, number>();
  return {
    asked(exchange) {
      const { nameserver, client, name, type, reply } = exchange;
      const question = name === '' ? 'nonsense' : `${name} ${TYPES[type] ?? type}`;
      const asked = `${client} asks ${question}`;
      const line = trace.frame(nameserver, asked, reply ?? new Uint8Array(), {
        kind: 'serves',
        told: () => ({ what: `${asked}: ${wordsOfReply(exchange)}` }),
      });
      answers.set(nameserver, line);
    },
    requested(exchange) {
      const { node, host, path, answer, namedBy } = exchange;
      const cause = namedBy === undefined ? undefined : answers.get(namedBy);
      trace.add(node, `GET ${host}${path}: ${answer.status} ${headerOf(exchange, 'etag')}`, {
        kind: 'serves',
        ...(cause === undefined ? {} : { causes: [cause] }),
        ...(namedBy === undefined ? {} : { fields: { namedBy } }),
      });
    },
    moved({ node, which, position }) {
      if (which === 'applied')
        trace.add(node, `plan ${positionWords(position)} is in effect`, { kind: 'applies' });
    },
  };
}

function wordsOfReply({ reply }: DnsExchange): string {
  if (reply === undefined) return 'no answer';
  const { rcode, form, answer, addresses } = readReply(reply);
  if (form === 'cut') return 'cut short';
  const texts = addresses.length > 0 ? addresses : answer.map(({ text }) => text);
  return texts.join(' ') || (RCODES[rcode] ?? `rcode ${rcode}`);
}

function headerOf({ answer }: HttpExchange, name: string): string {
  const value = answer.headers.find(([each]) => each === name)?.[1] ?? '';
  return value.slice(0, ETAG_LENGTH_MAX);
}
