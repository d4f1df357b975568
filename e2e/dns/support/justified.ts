import type { Field, Pair } from './compare.ts';
import type { Query } from './generate.ts';
import {
  addressesOfTargets,
  bare,
  copiedBits,
  hasFlag,
  hasOnlyOtherRecords,
  isCut,
  isError,
  isReferral,
  lacksGlue,
  onlyOptionsDiffer,
  SECTIONS,
  toNameservers,
} from './message-shape.ts';
import { asksWith, classOf, decoded, isWhole, opcodeOf, typeOf } from './query-bytes.ts';
import { type Message, TYPES } from './wire.ts';

/** A way in which our answers may differ, and why ours is right. docs/dns.md lists them, too. */
export interface Justified {
  readonly title: string;
  readonly servers: readonly Pair['server'][];
  readonly rfc: string;
  readonly why: string;
  readonly fields: readonly Field[];
  /** As narrow as it can be said: whatever it lets pass is never looked at again. */
  when(pair: Both): boolean;
}

/** `theirs` is undefined when the other server kept silent. */
interface Both {
  readonly query: Query;
  readonly ours: Message;
  readonly theirs: Message | undefined;
}

const [NOERROR, FORMERR, NOTIMP, REFUSED, BADVERS] = [0, 1, 4, 5, 16];
const CLASS_ANY = 255;
const CO = 0x4000;
const EVERYTHING: readonly Field[] = [
  ...(['reply', 'AA', 'TC', 'rcode', 'question', ...SECTIONS] as const),
  ...(['edns', 'edns.version', 'edns.size', 'edns.flags', 'edns.options'] as const),
];
const BOTH: readonly Pair['server'][] = ['NSD', 'Knot'];

export const JUSTIFIED: readonly Justified[] = [
  {
    title: 'ANY is answered with one HINFO record',
    servers: BOTH,
    rfc: 'RFC 8482 §4.2',
    why: 'the whole of a name makes a small query a large answer; NSD sends it all, Knot one rrset',
    fields: ['answer', 'additional', 'TC'],
    when: ({ query, ours }) =>
      typeOf(query) === TYPES['ANY'] &&
      ours.answer.at(-1)?.includes('HINFO 0752464338343832') === true,
  },
  {
    title: 'a truncated answer is the question alone',
    servers: BOTH,
    rfc: 'RFC 2181 §9',
    why: 'half an rrset would be taken for the whole by careless readers; the rest is for TCP',
    fields: SECTIONS,
    when: ({ ours, theirs }) => isCut(ours) && theirs?.flags.includes('TC') === true && bare(ours),
  },
  {
    title: 'a referral whose glue does not fit says so',
    servers: ['NSD'],
    rfc: 'RFC 9471 §3.1',
    why: 'all glue or TC; NSD 4.6 leaves out what does not fit, and says nothing of it',
    fields: ['TC', 'authority', 'additional'],
    when: ({ ours, theirs }) =>
      isCut(ours) && bare(ours) && theirs !== undefined && isReferral(theirs) && lacksGlue(theirs),
  },
  {
    title: 'what mail and service hosts are comes along',
    servers: ['NSD'],
    rfc: 'RFC 1035 §3.3.9, RFC 2782, RFC 9460 §4.1',
    why: 'they save a query; NSD is told to keep answers minimal, or every answer would differ',
    fields: ['additional'],
    when: ({ ours, theirs }) =>
      theirs !== undefined && theirs.additional.length === 0 && addressesOfTargets(ours),
  },
  {
    title: 'an alias into another zone of ours is followed',
    servers: ['Knot'],
    rfc: 'RFC 1034 §4.3.2 step 3a',
    why: '"go back to step 1" names no zone; Knot stays in the zone where it began',
    fields: ['answer', 'authority', 'additional', 'rcode'],
    when: ({ ours, theirs }) =>
      ours.answer.some((record) => record.includes(' CNAME ')) &&
      theirs !== undefined &&
      theirs.rcode === NOERROR &&
      (theirs.authority.length === 0 || toNameservers(theirs)) &&
      theirs.answer.every((record) => ours.answer.includes(record)),
  },
  {
    title: 'a chain of more than eight aliases is answered as far as that',
    servers: BOTH,
    rfc: 'RFC 1034 §3.6.2, §5.2.2',
    why: 'resolvers go on from the last name themselves; one small query is not to fill an answer',
    fields: ['answer', 'authority', 'additional', 'rcode', 'TC'],
    when: ({ ours, theirs }) =>
      ours.answer.length === ALIASES_MAX &&
      ours.answer.every((record) => record.includes(' CNAME ')) &&
      theirs !== undefined &&
      (isCut(theirs) || ours.answer.every((record) => theirs.answer.includes(record))),
  },
  {
    title: 'what DNSSEC puts beside an alias is asked for there',
    servers: ['NSD'],
    rfc: 'RFC 4035 §2.5',
    why: 'RRSIG and NSEC lie at the alias itself, NSEC3 does not; NSD 4.6 has it the other way round',
    fields: ['answer', 'authority', 'additional', 'rcode'],
    when: ({ query, ours, theirs }) =>
      DNSSEC_TYPES.has(typeOf(query)) &&
      [...ours.answer, ...(theirs?.answer ?? [])].some((record) => record.includes(' CNAME ')),
  },
  {
    title: 'DO is copied into BADVERS',
    servers: ['NSD'],
    rfc: 'RFC 3225 §3',
    why: 'the bit is copied into every response that has an OPT record',
    fields: ['edns.flags'],
    when: ({ ours, theirs }) => ours.rcode === BADVERS && theirs?.rcode === BADVERS,
  },
  {
    title: 'RD is copied into FORMERR',
    servers: ['NSD'],
    rfc: 'RFC 1035 §4.1.1',
    why: '"RD may be set in a query and is copied into the response"; NSD clears it',
    fields: ['RD'],
    when: ({ ours, theirs }) =>
      ours.rcode === FORMERR && theirs?.rcode === FORMERR && ours.flags.includes('RD'),
  },
  {
    title: 'compact denial is agreed to',
    servers: BOTH,
    rfc: 'RFC 9824 §5.1',
    why: 'the flag CO comes back to who sets it; NSD and Knot do not know it',
    fields: ['edns.flags'],
    when: ({ query, ours, theirs }) =>
      ours.edns?.flags === ((theirs?.edns?.flags ?? 0) | CO) && hasFlag(query, CO),
  },
  {
    title: 'errors repeat no bits that mean nothing in them',
    servers: ['NSD'],
    rfc: 'RFC 1035 §4.1.1, RFC 6895 §2.1, RFC 4035 §3.1.6',
    why: 'AA, TC and RA speak of the answer, Z is zero, CD is cleared; NSD copies them all',
    fields: ['AA', 'TC', 'RA', 'Z', 'AD', 'CD'],
    when: ({ query, ours, theirs }) =>
      theirs !== undefined && isError(ours) && copiedBits(query, ours, theirs),
  },
  {
    title: 'errors repeat the question if it could be read, and only then',
    servers: BOTH,
    rfc: 'RFC 1035 §4.1.1',
    why: 'no RFC says it; what another opcode has in that place need not be a question',
    fields: ['question'],
    when: ({ ours, theirs }) => isError(ours) && theirs !== undefined && isError(theirs),
  },
  {
    title: 'class ANY is answered as IN, and never with authority',
    servers: BOTH,
    rfc: 'RFC 1035 §6.2, RFC 2308 §2.2',
    why: 'nobody knows all classes; Knot sets AA all the same, NSD leaves out the SOA',
    fields: ['AA', 'authority'],
    when: ({ query, ours, theirs }) =>
      classOf(query) === CLASS_ANY && !ours.flags.includes('AA') && ours.rcode === theirs?.rcode,
  },
  {
    title: 'no other class is served',
    servers: BOTH,
    rfc: 'RFC 1035 §3.2.4',
    why: 'REFUSED for any zone of any class that is not ours; the others say it in several ways',
    fields: EVERYTHING,
    when: ({ query, ours }) =>
      ![1, CLASS_ANY].includes(classOf(query) ?? 1) && ours.rcode === REFUSED && bare(ours),
  },
  {
    title: 'zone transfers are refused before they are looked at',
    servers: BOTH,
    rfc: 'RFC 5936 §2.2.1, §4.2, RFC 1995 §3',
    why: 'REFUSED for who may not, FORMERR for IXFR without a SOA; the others look at the name first',
    fields: ['rcode', 'AA', 'TC', ...SECTIONS, 'question'],
    when: ({ query, ours }) => TRANSFERS.has(typeOf(query)) && isError(ours) && bare(ours),
  },
  {
    title: 'other opcodes are not implemented',
    servers: BOTH,
    rfc: 'RFC 1035 §4.1.1, RFC 2136 §2.2',
    why: 'a primary takes no NOTIFY, and zones change through dom alone',
    fields: EVERYTHING,
    when: ({ query, ours }) => opcodeOf(query) !== 0 && NOT_SERVED.has(ours.rcode) && bare(ours),
  },
  {
    title: 'types that stand for no data are no types to ask for',
    servers: BOTH,
    rfc: 'RFC 6895 §3.1, RFC 6891 §6.1.1',
    why: 'TKEY, MAILA and MAILB ask for a service, the rest of 128 to 255 and OPT for nothing; the others look them up',
    fields: ['rcode', 'AA', 'TC', ...SECTIONS, 'edns.options'],
    when: ({ query, ours }) => ours.rcode === metaRcode(typeOf(query) ?? 0) && bare(ours),
  },
  {
    title: 'type 0 is a type that nobody has',
    servers: ['Knot'],
    rfc: 'RFC 3597 §3',
    why: 'an unknown type is looked up like any other; Knot answers NOTIMP',
    fields: ['rcode', 'AA', 'TC', ...SECTIONS],
    when: ({ query, theirs }) => typeOf(query) === 0 && theirs?.rcode === NOTIMP,
  },
  {
    title: 'extended errors are of our choice',
    servers: BOTH,
    rfc: 'RFC 8914 §1',
    why: 'each server says what helps its readers; nothing may depend on it',
    fields: ['edns.options'],
    when: (pair) => onlyOptionsDiffer(pair, [15]),
  },
  {
    title: 'client subnets, cookies and names of servers',
    servers: BOTH,
    rfc: 'RFC 7871 §7.2.1, RFC 7873 §5.2, RFC 5001 §2.2',
    why: 'ours answers by geography and cookies; the others have them switched off',
    fields: ['edns.options'],
    when: (pair) => onlyOptionsDiffer(pair, [3, 8, 10, 15]),
  },
  {
    title: 'a malformed client subnet is FORMERR',
    servers: BOTH,
    rfc: 'RFC 7871 §7.2.1',
    why: '"MUST be rejected"; the others do not look into the option',
    fields: EVERYTHING,
    when: ({ query, ours }) => asksWith(query, 8) && ours.rcode === FORMERR && bare(ours),
  },
  {
    title: 'errors carry OPT if the query did',
    servers: BOTH,
    rfc: 'RFC 6891 §6.1.1, §7',
    why: 'the record could be read, if not all that is in it; the others leave it out',
    fields: ['edns'],
    when: ({ query, ours, theirs }) =>
      decoded(query)?.edns !== undefined && isError(ours) && theirs?.rcode === ours.rcode,
  },
  {
    title: 'a size under 512 is one of 512',
    servers: ['Knot'],
    rfc: 'RFC 6891 §6.2.3',
    why: '"MUST be treated as equal to 512"; Knot takes some for an error',
    fields: EVERYTHING,
    when: ({ query, theirs }) =>
      (decoded(query)?.edns?.udpSizeBytes ?? 512) < 512 && theirs?.rcode === FORMERR,
  },
  {
    title: 'further records in a query are skipped',
    servers: BOTH,
    rfc: 'RFC 1035 §4.1, RFC 6895 §3',
    why: 'the additional section may hold any record; the others fail on what they do not know',
    fields: EVERYTHING,
    when: ({ query, ours, theirs }) =>
      hasOnlyOtherRecords(query, ours) && (theirs === undefined || theirs.rcode === FORMERR),
  },
  {
    title: 'a query that is not one from its first to its last byte is FORMERR',
    servers: BOTH,
    rfc: 'RFC 1035 §4.1.1, RFC 9619 §4',
    why: 'the others skip bytes at the end, ignore counts, or keep silent',
    fields: [...EVERYTHING, 'CD', 'AD', 'RA', 'Z'],
    when: ({ query, ours }) => !isWhole(query) && ours.rcode === FORMERR && bare(ours),
  },
];

const DNSSEC_TYPES = new Set([TYPES['RRSIG'], TYPES['NSEC'], TYPES['NSEC3']]);
const SERVICE_TYPES = new Set([TYPES['TKEY'], TYPES['MAILA'], TYPES['MAILB']]);
/** What our nameservers follow at most. */
const ALIASES_MAX = 8;
const TRANSFERS = new Set([TYPES['AXFR'], TYPES['IXFR']]);
const NOT_SERVED = new Set([NOTIMP, REFUSED]);

/** What a type that no record can have is answered with; undefined: it is none of those. */
function metaRcode(type: number): number | undefined {
  if (SERVICE_TYPES.has(type)) return NOTIMP;
  const isMeta = type === TYPES['OPT'] || (type >= 128 && type <= 250);
  return isMeta ? FORMERR : undefined;
}
