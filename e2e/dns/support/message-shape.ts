import type { Query } from './generate.ts';
import { decoded } from './query-bytes.ts';
import type { Message } from './wire.ts';

/*
 * What the table of justified differences asks of answers.
 */

export const SECTIONS = ['answer', 'authority', 'additional'] as const;

export function isCut(message: Message): boolean {
  return message.flags.includes('TC');
}

/** No record but perhaps an OPT. */
export function bare(message: Message): boolean {
  return SECTIONS.every((section) => message[section].length === 0);
}

export function isError({ rcode }: Message): boolean {
  return rcode !== 0 && rcode !== 3;
}

export function isReferral(message: Message): boolean {
  return toNameservers(message) && message.answer.length === 0 && !message.flags.includes('AA');
}

export function toNameservers({ authority }: Message): boolean {
  return authority.length > 0 && authority.every((record) => record.includes(' NS '));
}

/** A nameserver below the cut without an address: the zone of the tests has one for each. */
export function lacksGlue({ authority, additional }: Message): boolean {
  return authority.some((record) => {
    const [cut = '', , , , target = ''] = record.split(' ');
    return target.endsWith(`.${cut}`) && !additional.some((glue) => glue.startsWith(`${target} `));
  });
}

export function addressesOfTargets({ answer, additional }: Message): boolean {
  const targets = new Set(answer.flatMap((record) => record.split(' ').slice(4)));
  return additional.every((record) => targets.has(record.split(' ')[0] ?? ''));
}

const BITS = { AA: 0x0400, TC: 0x0200, RA: 0x0080, Z: 0x0040, AD: 0x0020, CD: 0x0010 };

/** Whether each bit that only they have set was set in the query. */
export function copiedBits({ bytes }: Query, ours: Message, theirs: Message): boolean {
  const asked = bytes.readUInt16BE(2);
  return Object.entries(BITS).every(
    ([bit, mask]) =>
      ours.flags.includes(bit) === theirs.flags.includes(bit) ||
      (theirs.flags.includes(bit) && (asked & mask) !== 0),
  );
}

/** It says that there are records, and none of them is the OPT that ours would have answered. */
export function hasOnlyOtherRecords({ bytes }: Query, ours: Message): boolean {
  return bytes.length >= 12 && bytes.readUInt16BE(10) > 0 && ours.edns === undefined;
}

export function hasFlag(query: Query, flag: number): boolean {
  return ((decoded(query)?.edns?.flags ?? 0) & flag) !== 0;
}

export function onlyOptionsDiffer(
  { ours, theirs }: { readonly ours: Message; readonly theirs: Message | undefined },
  codes: readonly number[],
): boolean {
  if (ours.edns === undefined || theirs?.edns === undefined) return false;
  const all = new Set([...ours.edns.options.keys(), ...theirs.edns.options.keys()]);
  const [a, b] = [ours.edns.options, theirs.edns.options];
  return [...all].every((code) => codes.includes(code) || a.get(code) === b.get(code));
}
