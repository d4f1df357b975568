import type { AnswerMemo, HttpRequest } from '../../../runtime/http.ts';
import type { EdgeResponse } from '../http/response.ts';
import type { EdgeTable } from '../site-table.ts';
import { type ReadNotes, watchReads } from './read-notes.ts';

export interface RememberedResponse {
  readonly response: EdgeResponse;
  /** One for each remembered response, so that its head is encoded once. */
  readonly memo?: AnswerMemo;
}

export interface AnswerCacheLimits {
  /** Twice as many are kept at most. */
  readonly entriesMax: number;
  /** Of what a response is remembered by, in characters; others are made anew. */
  readonly keyLengthMax: number;
}

export const ANSWER_CACHE_LIMITS: AnswerCacheLimits = { entriesMax: 8192, keyLengthMax: 512 };

/**
 * Remembers what `respond` said to plain requests for files, so that the usual one costs a look-up.
 *
 * A response is given again only where it would be made again just so: `respond` is watched while it
 * makes one, and what it looked at is part of what the response is remembered by. A new table
 * forgets them all. What many clients ask for with names, paths and codings of their own is
 * bounded: when there are too many, those that were not asked for lately go.
 */
export class AnswerCache {
  readonly #respond: (request: HttpRequest, table: EdgeTable) => EdgeResponse;
  readonly #limits: AnswerCacheLimits;
  #table: EdgeTable | undefined;
  #young = new Generation();
  #old = new Generation();
  /** Fields that `respond` has looked at, other than those that a key has. */
  readonly #otherFields = new Set<string>();

  constructor(
    respond: (request: HttpRequest, table: EdgeTable) => EdgeResponse,
    limits: AnswerCacheLimits = ANSWER_CACHE_LIMITS,
  ) {
    this.#respond = respond;
    this.#limits = limits;
  }

  find(request: HttpRequest, table: EdgeTable): RememberedResponse {
    if (table !== this.#table) this.#forget(table);
    const key = this.#keyOf(request);
    if (key === undefined) return { response: this.#respond(request, table) };
    const entry = this.#young.get(key) ?? this.#revive(key);
    if (entry === undefined) return this.#make(request, table, key);
    const { plain } = key;
    const known = plain.isConditional ? answerTo(plain, entry) : entry.whole;
    return known ?? this.#make(request, table, key);
  }

  #forget(table: EdgeTable): void {
    this.#table = table;
    this.#young = new Generation();
    this.#old = new Generation();
  }

  /** Undefined: it is not one of those that are worth remembering. */
  #keyOf({ method, secure, host, path, headers, memo }: HttpRequest): Key | undefined {
    if (method !== 'GET' || !secure || path.includes('?')) return undefined;
    const known = memo?.found instanceof PlainHeaders ? memo.found : undefined;
    const isCurrent = known !== undefined && known.fields === this.#otherFields.size;
    const plain = isCurrent ? known : this.#plainHeaders(headers);
    if (memo !== undefined && !isCurrent) memo.found = plain;
    if (plain === undefined) return undefined;
    if (host.length + path.length + plain.length > this.#limits.keyLengthMax) return undefined;
    return { host, path, plain };
  }

  #plainHeaders(headers: HttpRequest['headers']): PlainHeaders | undefined {
    for (const field of this.#otherFields) if (headers[field] !== undefined) return undefined;
    const coding = headers['accept-encoding'] ?? '';
    const etags = headers['if-none-match'] ?? '';
    const since = headers['if-modified-since'] ?? '';
    if (typeof coding !== 'string' || typeof etags !== 'string' || typeof since !== 'string') {
      return undefined;
    }
    return new PlainHeaders({ coding, etags, since }, this.#otherFields.size);
  }

  #revive(key: Key): Entry | undefined {
    const entry = this.#old.get(key);
    if (entry !== undefined) this.#keep(key, entry);
    return entry;
  }

  #keep(key: Key, entry: Entry): void {
    if (this.#young.size >= this.#limits.entriesMax) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.set(key, entry);
  }

  #make(request: HttpRequest, table: EdgeTable, key: Key): RememberedResponse {
    const notes: ReadNotes = { fields: new Set(), others: 'none' };
    const response = this.#respond(watchReads(request, notes), table);
    let isPlain = notes.others === 'none';
    for (const field of notes.fields) {
      if (KEY_FIELDS.has(field)) continue;
      this.#otherFields.add(field);
      isPlain &&= request.headers[field] === undefined;
    }
    const isRevalidated = key.plain.isConditional && response.status === 304;
    const isKept = isRevalidated || isWholeFile(response);
    // What has yet to be checked is another answer once it was.
    if (!isPlain || !isKept || response.check !== undefined) return { response };
    const made = { response, memo: {} };
    const { etags, since } = key.plain;
    const entry = this.#young.get(key) ?? {};
    if (!key.plain.isConditional) entry.whole = made;
    else if (isRevalidated) entry.revalidated = { ...made, etags, since };
    else entry.renewed = { ...made, etags, since };
    if (this.#young.get(key) === undefined) this.#keep(key, entry);
    return made;
  }
}

/** What a response is remembered by. */
interface Key {
  readonly host: string;
  readonly path: string;
  readonly plain: PlainHeaders;
}

/** Headers that say nothing but the values of `KEY_FIELDS`; empty: not sent. */
class PlainHeaders {
  readonly coding: string;
  readonly etags: string;
  readonly since: string;
  /** How many other fields were known then. */
  readonly fields: number;

  constructor(
    { coding, etags, since }: Pick<PlainHeaders, 'coding' | 'etags' | 'since'>,
    fields: number,
  ) {
    this.coding = coding;
    this.etags = etags;
    this.since = since;
    this.fields = fields;
  }

  get length(): number {
    return this.coding.length + this.etags.length + this.since.length;
  }

  get isConditional(): boolean {
    return this.etags !== '' || this.since !== '';
  }
}

const KEY_FIELDS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
]);

interface Entry {
  whole?: RememberedResponse;
  /** To the conditions that came last and were met: most clients that ask again have the newest. */
  revalidated?: Conditional;
  /** To those that came last and were not: after a release most have the one before. */
  renewed?: Conditional;
}

type Conditional = RememberedResponse & Pick<PlainHeaders, 'etags' | 'since'>;

function answerTo(asked: PlainHeaders, entry: Entry): Conditional | undefined {
  if (isTo(asked, entry.revalidated)) return entry.revalidated;
  return isTo(asked, entry.renewed) ? entry.renewed : undefined;
}

function isTo({ etags, since }: PlainHeaders, known: Conditional | undefined): boolean {
  return known !== undefined && known.etags === etags && known.since === since;
}

function isWholeFile({ status, body }: EdgeResponse): boolean {
  return status === 200 && body.kind === 'blob';
}

/** Entries by host, coding and path: there are few of the first two, and no key has to be made. */
class Generation {
  readonly #byHost = new Map<string, Map<string, Map<string, Entry>>>();
  size = 0;

  get({ host, path, plain }: Key): Entry | undefined {
    return this.#byHost.get(host)?.get(plain.coding)?.get(path);
  }

  set({ host, path, plain }: Key, entry: Entry): void {
    const byCoding = getOrMake(this.#byHost, host);
    getOrMake(byCoding, plain.coding).set(path, entry);
    this.size += 1;
  }
}

function getOrMake<Value>(map: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  let value = map.get(name);
  if (value === undefined) {
    value = new Map();
    map.set(name, value);
  }
  return value;
}
