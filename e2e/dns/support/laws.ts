import type { Pair } from './compare.ts';
import { decoded, isWhole } from './query-bytes.ts';

/** What must hold of each of our answers by itself, with its RFC; empty: all of it does. */
export function brokenLaws({ query, ours }: Pick<Pair, 'query' | 'ours'>): readonly string[] {
  if (ours.kind === 'silent') return [];
  if (ours.kind === 'garbage') return ['it can be read from its first byte to its last'];
  const { message } = ours;
  const asked = query.bytes.readUInt16BE(2);
  const laws: readonly (readonly [string, boolean])[] = [
    ['it says that it is a response (RFC 1035 §4.1.1)', message.flags.includes('QR')],
    ['RD is copied (RFC 1035 §4.1.1)', message.flags.includes('RD') === ((asked & 0x0100) !== 0)],
    ['the opcode is copied (RFC 1035 §4.1.1)', message.opcode === ((asked >> 11) & 0xf)],
    ['RA, Z, AD and CD are clear', !message.flags.some((bit) => /^(RA|Z|AD|CD)$/.test(bit))],
    ['the question is repeated byte for byte', repeatsQuestion(query.bytes, message.question)],
    ['OPT answers OPT, and nothing else (RFC 6891 §6.1.1)', hasDueOpt(query, message.edns)],
    ['it fits what was asked for (RFC 6891 §6.2.3, §6.2.5)', message.sizeBytes <= sizeMax(query)],
    ['no record is said twice in a section (RFC 2181 §5)', repeatsNothing(message)],
  ];
  return laws.filter(([, holds]) => !holds).map(([law]) => law);
}

type Query = Pair['query'];
type Message = Extract<Pair['ours'], { kind: 'reply' }>['message'];

function repeatsQuestion(bytes: Buffer, question: string): boolean {
  return question === '' || bytes.subarray(12).toString('hex').startsWith(question);
}

/** Of what cannot be read nobody knows whether it had an OPT. */
function hasDueOpt(query: Query, edns: Message['edns']): boolean {
  if (!isWhole(query) || ((query.bytes[2] ?? 0) & 0x78) !== 0) return true;
  return (decoded(query)?.edns !== undefined) === (edns !== undefined);
}

function sizeMax(query: Query): number {
  if (query.transport === 'tcp') return 65_535;
  const asked = decoded(query)?.edns?.udpSizeBytes ?? 512;
  return Math.min(1232, Math.max(512, asked));
}

function repeatsNothing({ answer, authority, additional }: Message): boolean {
  return [answer, authority, additional].every((each) => new Set(each).size === each.length);
}
