import type { NameKey } from './name.ts';
import type { Word } from './words.ts';

/** Bytes as they are, or a name that may be compressed: only in types of RFC 1035 (RFC 3597 §4). */
export type RdataPart = Uint8Array | NameKey;

/** How names in values are read. */
export interface NameContext {
  /** What names without a final dot are relative to; the root: they are whole as they stand. */
  readonly origin: NameKey;
  /**
   * A relative name of several labels: as zone files mean it, or taken for one whose final dot was
   * forgotten, which is the classic slip.
   */
  readonly dotted: 'relative' | 'refused';
}

export type FieldOutcome =
  | {
      readonly kind: 'field';
      readonly parts: readonly RdataPart[];
      /** Canonical: names whole, hex in lower case, text in quotes. */
      readonly text: string;
      /** The name whose addresses a reader will want next. */
      readonly target?: NameKey;
    }
  /** The end of a sentence that begins with the word. */
  | { readonly kind: 'problem'; readonly message: string };

/** One field of a record's data, in both directions. */
export interface Field {
  /** What it is called in its RFC; messages say it. */
  readonly label: string;
  /** How many words it takes: one, all that are left (`any`), or those but at least one (`rest`). */
  readonly takes: 'word' | 'rest' | 'any';
  /** From presentation format. */
  parse(words: readonly Word[], context: NameContext): FieldOutcome;
  /** From the wire to canonical text, with the offset after it; undefined: malformed. */
  read(bytes: Buffer, offset: number): { readonly text: string; readonly end: number } | undefined;
}

export function problem(message: string): Extract<FieldOutcome, { readonly kind: 'problem' }> {
  return { kind: 'problem', message };
}
