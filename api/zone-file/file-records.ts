import { didYouMean } from '../nearest.ts';
import { type NameKey, parseName, resolveName } from '../rdata/name.ts';
import { parseSeconds } from '../rdata/numbers.ts';
import { parseRdataWords } from '../rdata/rdata.ts';
import { isOwnType, RECORD_TYPES, typeName, typeNumber, typeProblem } from '../rdata/types.ts';
import { type Entry, entriesOf, type PlacedWord, type ZoneFileMessage } from './entries.ts';

/** One record of a zone file; its names are whole. */
export interface FileRecord {
  readonly owner: NameKey;
  readonly type: number;
  readonly ttlS: number;
  /** Its data, canonical. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export interface FileRecords {
  readonly records: readonly FileRecord[];
  /** Of the first `$TTL`. */
  readonly defaultTtlS: number | undefined;
  readonly errors: readonly ZoneFileMessage[];
  /** What was passed over, and why. */
  readonly notes: readonly ZoneFileMessage[];
}

/** RFC 2181 §8. */
const TTL_S_MAX = 0x7fff_ffff;

/** The records of a zone file (RFC 1035 §5); never throws. `origin` is of names without a dot. */
export function readRecords(text: string, origin: NameKey | undefined): FileRecords {
  const reader = new Reader(origin);
  for (const outcome of entriesOf(text)) {
    if (outcome.kind === 'entry') reader.take(outcome);
    else reader.fail(outcome, outcome.message);
  }
  return reader.finish();
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** What precedes the data of a record. */
interface Head {
  readonly owner: NameKey;
  readonly ttlS: number | undefined;
  readonly type: number;
  readonly typeWord: PlacedWord;
  readonly data: readonly PlacedWord[];
}

class Reader {
  readonly #records: FileRecord[] = [];
  readonly #errors: ZoneFileMessage[] = [];
  readonly #leftOut = new Map<number, { readonly first: Place; count: number }>();
  #origin: NameKey | undefined;
  #owner: NameKey | undefined;
  #firstDefaultTtlS: number | undefined;
  #defaultTtlS: number | undefined;
  #lastTtlS: number | undefined;
  #isOriginAsked = false;

  constructor(origin: NameKey | undefined) {
    this.#origin = origin;
  }

  fail({ line, column }: Place, message: string): undefined {
    // Without an origin every line is wrong, for one reason.
    const isTold = message === NO_ORIGIN && this.#isOriginAsked;
    if (!isTold) this.#errors.push({ line, column, message });
    this.#isOriginAsked ||= message === NO_ORIGIN;
    return undefined;
  }

  take(entry: Entry): void {
    const [first] = entry.words;
    const isDirective = entry.start === 'word' && first?.form === 'plain';
    if (isDirective && first?.text.startsWith('$') === true) this.#directive(first, entry.words);
    else this.#record(entry);
  }

  finish(): FileRecords {
    const notes = [...this.#leftOut].map(([type, { first, count }]) => ({
      ...first,
      message: `${count} ${typeName(type)} left out: b8s makes such records by itself`,
    }));
    return {
      records: this.#records,
      defaultTtlS: this.#firstDefaultTtlS,
      errors: this.#errors,
      notes,
    };
  }

  #directive(word: PlacedWord, [, argument, ...rest]: readonly PlacedWord[]): void {
    const name = word.text.toUpperCase();
    const mend = MENDS[name];
    if (mend === undefined)
      this.fail(word, `${shorten(word.text)} is no directive; ${KNOWN_DIRECTIVES}`);
    else if (name === '$INCLUDE' || name === '$GENERATE') this.fail(word, mend);
    else if (argument === undefined || rest.length > 0) this.fail(rest[0] ?? word, mend);
    else if (name === '$TTL') this.#ttlDirective(argument);
    else this.#origin = this.#name(argument) ?? this.#origin;
  }

  /** RFC 2308 §4. */
  #ttlDirective(argument: PlacedWord): void {
    const ttlS = this.#ttl(argument);
    if (ttlS === undefined) return;
    this.#defaultTtlS = ttlS;
    this.#firstDefaultTtlS ??= ttlS;
  }

  #record(entry: Entry): undefined {
    const head = this.#head(entry);
    if (head === undefined) return undefined;
    const { owner, type, typeWord, data } = head;
    if (isOwnType(type)) return this.#leaveOut(type, typeWord);
    const isSoa = typeName(type) === 'SOA';
    const problem = isSoa ? undefined : typeProblem(type);
    if (problem !== undefined) return this.fail(typeWord, `${typeWord.text} ${problem}`);
    if (this.#origin === undefined && isSoa) this.#origin = owner;
    if (this.#origin === undefined) return this.fail(typeWord, NO_ORIGIN);
    const context = { origin: this.#origin, dotted: 'relative' } as const;
    const outcome = parseRdataWords(type, data, context);
    const place = data[0] ?? typeWord;
    if (outcome.kind === 'error') {
      const shown = shorten(data.map(({ text }) => text).join(' '));
      return this.fail(place, `${typeName(type)} "${shown}" ${outcome.message}`);
    }
    const ttlS = this.#ttlOf(head, isSoa ? outcome.text : undefined);
    if (ttlS === undefined) return this.fail(typeWord, NO_TTL);
    const { line, column } = place;
    this.#records.push({ owner, type, ttlS, text: outcome.text, line, column });
    return undefined;
  }

  /** `[owner] [TTL] [class] type data`, the class and the TTL in either order. */
  #head({ words, start }: Entry): Head | undefined {
    const [first] = words;
    if (first === undefined) return undefined;
    const owner = start === 'blank' ? this.#owner : this.#ownerName(first);
    if (owner === undefined) {
      return start === 'blank' ? this.fail(first, NO_OWNER) : undefined;
    }
    this.#owner = owner;
    let ttlS: number | undefined;
    let isClassSeen = false;
    for (let index = start === 'blank' ? 0 : 1; index < words.length; index += 1) {
      const word = words[index] ?? first;
      if (!isClassSeen && CLASSES.test(word.text)) {
        isClassSeen = true;
        if (!/^(?:IN|CLASS1)$/i.test(word.text)) return this.fail(word, `${word.text} ${NOT_IN}`);
      } else if (ttlS === undefined && /^\d/.test(word.text)) {
        ttlS = this.#ttl(word);
        if (ttlS === undefined) return undefined;
      } else {
        return this.#typed(word, { owner, ttlS, data: words.slice(index + 1) });
      }
    }
    return this.fail(words.at(-1) ?? first, 'a type and data must follow, e.g. www A 192.0.2.1');
  }

  #typed(word: PlacedWord, rest: Omit<Head, 'type' | 'typeWord'>): Head | undefined {
    const type = word.form === 'plain' ? typeNumber(word.text) : undefined;
    if (type !== undefined) return { ...rest, type, typeWord: word };
    const meant = didYouMean(word.text, RECORD_TYPES);
    return this.fail(word, `"${shorten(word.text)}" is no type of record${meant || NO_TYPE}`);
  }

  #ownerName(word: PlacedWord): NameKey | undefined {
    if (word.form === 'plain') return this.#name(word);
    return this.fail(word, 'a name stands here, without quotes; write a blank first to go on');
  }

  #name(word: PlacedWord): NameKey | undefined {
    const { text } = word;
    const isWhole = text.endsWith('.') && parseName(text) !== undefined;
    if (this.#origin === undefined && !isWhole) return this.fail(word, NO_ORIGIN);
    const key = this.#origin === undefined ? parseName(text) : resolveName(text, this.#origin);
    return key ?? this.fail(word, `"${shorten(text)}" is not a name: ${NAME_MEND}`);
  }

  #ttl(word: PlacedWord): number | undefined {
    const ttlS = parseSeconds(word.text);
    if (ttlS === undefined) {
      return this.fail(word, `"${shorten(word.text)}" is no time; write seconds, or e.g. 1h30m`);
    }
    if (ttlS <= TTL_S_MAX) return ttlS;
    return this.fail(word, `${shorten(word.text)} is above ${TTL_S_MAX} seconds (RFC 2181 §8)`);
  }

  /** Its own, that of `$TTL`, that of the record before, or the last number of the SOA. */
  #ttlOf({ ttlS }: Head, soa: string | undefined): number | undefined {
    const negative = soa === undefined ? undefined : Number(soa.split(' ').at(-1));
    const own = ttlS ?? this.#defaultTtlS ?? this.#lastTtlS ?? negative;
    this.#lastTtlS = own;
    return own;
  }

  #leaveOut(type: number, { line, column }: Place): undefined {
    const known = this.#leftOut.get(type);
    if (known === undefined) this.#leftOut.set(type, { first: { line, column }, count: 1 });
    else known.count += 1;
    return undefined;
  }
}

/** Each directive with what it must look like, or what to do instead of it. */
const MENDS: Readonly<Record<string, string>> = {
  $ORIGIN: '$ORIGIN needs one name, e.g. $ORIGIN example.com.',
  $TTL: '$TTL needs one time, e.g. $TTL 1h',
  $INCLUDE: '$INCLUDE is not followed; put the text of that file here, in its place',
  $GENERATE: '$GENERATE is of BIND only; write the records out, e.g. with named-compilezone',
};
const KNOWN_DIRECTIVES = 'there are $ORIGIN and $TTL';

const CLASSES = /^(?:IN|CH|HS|CS|CLASS\d{1,5})$/i;
const NOT_IN = 'is not the class IN, the only one that is served; remove the record';
const NO_ORIGIN =
  'what is this name relative to? Begin with $ORIGIN example.com., or give --origin example.com';
const NO_OWNER = 'the first record must say whose it is; write @ for the zone itself';
const NO_TTL = 'no time to live is known yet; begin the file with $TTL 1h';
const NO_TYPE = '; types without a name are written TYPE65280';
const NAME_MEND = 'labels of 1 to 63 bytes with dots in between, 255 bytes in all';

/** Characters of a word that a message repeats. */
const SHOWN_LENGTH_MAX = 64;

function shorten(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX - 1)}…` : text;
}
