import { readWord, type Word } from '../rdata/words.ts';

/** A place in a zone file and what is to be said of it. */
export interface ZoneFileMessage {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
}

export interface PlacedWord extends Word {
  readonly line: number;
  readonly column: number;
}

/** A directive or a record: one line, or several that parentheses hold together (RFC 1035 §5.1). */
export interface Entry {
  readonly kind: 'entry';
  /** At least one. */
  readonly words: readonly PlacedWord[];
  /** `blank`: it begins with a blank, so its owner is the one of the record before. */
  readonly start: 'word' | 'blank';
}

export type EntryOutcome = Entry | ({ readonly kind: 'problem' } & ZoneFileMessage);

/** How long a line, or several in parentheses, may be: each of 65,535 bytes may be a `\DDD`. */
export const ENTRY_LENGTH_MAX = 300_000;

/** The entries of a zone file in their order, without comments and empty lines; never throws. */
export function* entriesOf(text: string): Generator<EntryOutcome> {
  let draft: Draft | undefined;
  // After a problem within parentheses, what they hold is passed over.
  let isLost = false;
  for (const [index, line] of linesOf(text)) {
    if (isLost) {
      isLost = !line.includes(')');
      continue;
    }
    draft ??= newDraft(line);
    const problem = scanLine(draft, line, index + 1);
    if (problem !== undefined) {
      isLost = draft.opened !== undefined && !line.includes(')');
      draft = undefined;
      yield { kind: 'problem', ...problem };
    } else if (draft.opened === undefined) {
      if (draft.words.length > 0) yield entryOf(draft);
      draft = undefined;
    }
  }
  if (draft?.opened !== undefined) {
    yield {
      kind: 'problem',
      ...draft.opened,
      message: 'this parenthesis is never closed; add ")"',
    };
  }
}

interface Draft {
  readonly words: PlacedWord[];
  readonly start: Entry['start'];
  lengthTotal: number;
  depth: number;
  /** The outermost parenthesis that is open. */
  opened: { readonly line: number; readonly column: number } | undefined;
}

function newDraft(line: string): Draft {
  const start = /^[ \t]/.test(line) ? 'blank' : 'word';
  return { words: [], start, lengthTotal: 0, depth: 0, opened: undefined };
}

function entryOf({ words, start }: Draft): Entry {
  return { kind: 'entry', words, start };
}

/** Each line with its index; a byte order mark and the CR of CRLF are no part of it. */
function* linesOf(text: string): Generator<readonly [number, string]> {
  let index = 0;
  for (let start = text.startsWith('\uFEFF') ? 1 : 0; start <= text.length; index += 1) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    yield [index, text.slice(start, end).replace(/\r$/, '')];
    start = end + 1;
  }
}

/** What ends a word that is not in quotes. */
const ENDS = ' \t\r;()';

/** Adds the words of a line to the draft; undefined: nothing was wrong. */
function scanLine(draft: Draft, line: string, number: number): ZoneFileMessage | undefined {
  const at = (offset: number) => ({ line: number, column: offset + 1 });
  draft.lengthTotal += line.length;
  if (draft.lengthTotal > ENTRY_LENGTH_MAX) {
    const place = draft.opened ?? at(0);
    const message = `is longer than ${ENTRY_LENGTH_MAX} characters, more than any record can be; look for a parenthesis that is not closed`;
    return { ...place, message };
  }
  const unknown = line.indexOf('\uFFFD');
  if (unknown >= 0) return { ...at(unknown), message: ENCODING_PROBLEM };
  for (let offset = 0; offset < line.length; ) {
    const character = line.charAt(offset);
    if (character === ';') return undefined;
    if (character === '(') {
      if (draft.depth === 0) draft.opened = at(offset);
      draft.depth += 1;
    } else if (character === ')') {
      if (draft.depth === 0) {
        return {
          ...at(offset),
          message: 'no parenthesis is open here; remove ")", or write "\\)"',
        };
      }
      draft.depth -= 1;
      if (draft.depth === 0) draft.opened = undefined;
    } else if (!ENDS.includes(character)) {
      const found = readWord(line, offset, ENDS);
      if (found === undefined) return { ...at(offset), message: QUOTE_PROBLEM };
      draft.words.push({ ...found.word, ...at(offset) });
      offset = found.end;
      continue;
    }
    offset += 1;
  }
  return undefined;
}

const ENCODING_PROBLEM = 'the file is not UTF-8 here; write the byte by number, e.g. \\252';

const QUOTE_PROBLEM =
  'a quote is not closed on its line, or stands inside a word; write "text", and \\" for a quote itself';
