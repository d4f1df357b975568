import type { Query } from './generate.ts';
import { decodeMessage, type Message } from './wire.ts';

/** What a server did with a query. */
export type Outcome =
  | { readonly kind: 'silent' }
  | { readonly kind: 'garbage'; readonly error: string }
  | { readonly kind: 'reply'; readonly message: Message };

/** Two servers' answers to one query. */
export interface Pair {
  readonly query: Query;
  readonly server: 'NSD' | 'Knot';
  readonly ours: Outcome;
  readonly theirs: Outcome;
}

/** In what they differ: a bit of the header by name, a section, a part of the OPT record. */
export type Field =
  | 'reply'
  | ('QR' | 'AA' | 'TC' | 'RD' | 'RA' | 'Z' | 'AD' | 'CD' | 'opcode' | 'rcode')
  | ('question' | 'answer' | 'authority' | 'additional')
  | ('edns' | 'edns.version' | 'edns.size' | 'edns.flags' | 'edns.options');

const BITS = ['QR', 'AA', 'TC', 'RD', 'RA', 'Z', 'AD', 'CD'] as const;
const SECTIONS = ['question', 'answer', 'authority', 'additional'] as const;

export function outcomeOf(reply: Buffer | undefined): Outcome {
  if (reply === undefined) return { kind: 'silent' };
  try {
    return { kind: 'reply', message: decodeMessage(reply) };
  } catch (error) {
    return { kind: 'garbage', error: `${String(error)} in ${reply.toString('hex')}` };
  }
}

/** Every field in which the two differ; ids are the client's affair. */
export function differences(ours: Outcome, theirs: Outcome): readonly Field[] {
  if (ours.kind === 'silent' && theirs.kind === 'silent') return [];
  if (ours.kind !== 'reply' || theirs.kind !== 'reply') return ['reply'];
  const [a, b] = [ours.message, theirs.message];
  const bits = BITS.filter((bit) => a.flags.includes(bit) !== b.flags.includes(bit));
  const numbers = (['opcode', 'rcode'] as const).filter((field) => a[field] !== b[field]);
  const sections = SECTIONS.filter((section) => String(a[section]) !== String(b[section]));
  return [...bits, ...numbers, ...sections, ...ednsDifferences(a, b)];
}

function ednsDifferences({ edns: a }: Message, { edns: b }: Message): readonly Field[] {
  if (a === undefined || b === undefined) return a === b ? [] : ['edns'];
  const options = (opt: typeof a): string => [...opt.options].map(String).toSorted().join(';');
  return [
    ...(a.version === b.version ? [] : (['edns.version'] as const)),
    ...(a.udpSizeBytes === b.udpSizeBytes ? [] : (['edns.size'] as const)),
    ...(a.flags === b.flags ? [] : (['edns.flags'] as const)),
    ...(options(a) === options(b) ? [] : (['edns.options'] as const)),
  ];
}

/** For people: the query, and what each said of it. */
export function describePair({ query, server, ours, theirs }: Pair): string {
  const bytes = query.bytes.toString('hex');
  return `${query.what}\n  query ${bytes}\n  ours ${shown(ours)}\n  ${server} ${shown(theirs)}`;
}

function shown(outcome: Outcome): string {
  if (outcome.kind !== 'reply') return outcome.kind === 'silent' ? 'silent' : outcome.error;
  const { flags, rcode, question, answer, authority, additional, edns } = outcome.message;
  const opt = edns && { ...edns, options: Object.fromEntries(edns.options) };
  return JSON.stringify({ flags, rcode, question, answer, authority, additional, opt });
}
