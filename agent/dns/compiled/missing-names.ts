import {
  isWithin,
  LABEL_BYTES_MAX,
  NAME_BYTES_MAX,
  type NameKey,
  parentOf,
  wildcardUnder,
} from '../message/name.ts';
import type { Reply } from '../message/reply.ts';
import { type DnsSnapshot } from '../snapshot.ts';
import type { CompiledZone } from '../zone/zone.ts';
import { zoneOf } from '../zone/zone.ts';
import { word } from './plain-query.ts';
import type { Template } from './template.ts';

/** What all names that do not exist below one name are answered with, for one type. */
export interface MissingAnswer {
  /** Undefined: only the general path can tell. */
  readonly template: Template | undefined;
  /**
   * Names right below that the answer mentions, or ancestors of such: of those, and of what lies
   * below them, more of the question could be pointed to.
   */
  readonly exceptions: ReadonlySet<NameKey>;
}

/** Where a name that does not exist would hang. */
export interface MissingPlace {
  /** The longest ancestor that exists (RFC 4592 §3.3.1). */
  readonly encloser: NameKey;
  /** The name itself, or its ancestor, right below the encloser. */
  readonly nextCloser: NameKey;
  /** Of the zone that both are in. */
  readonly nodes: CompiledZone['nodes'];
}

/** Undefined: the name exists, or is in no zone of ours. */
export function missingPlace(
  { zones }: Pick<DnsSnapshot, 'zones'>,
  name: NameKey,
): MissingPlace | undefined {
  const nodes = zoneOf(zones, name)?.nodes;
  if (nodes === undefined || nodes.has(name)) return undefined;
  let nextCloser = name;
  for (;;) {
    const encloser = parentOf(nextCloser);
    if (nodes.has(encloser)) return { encloser, nextCloser, nodes };
    // A zone has its origin, so that this ends there at the latest; an empty one has nothing.
    if (encloser === nextCloser) return undefined;
    nextCloser = encloser;
  }
}

/** A name right below the encloser that does not exist, of another length than `asked`. */
export function standIn(
  { zones }: Pick<DnsSnapshot, 'zones'>,
  { encloser, asked }: { readonly encloser: NameKey; readonly asked: NameKey },
): NameKey | undefined {
  const nodes = zoneOf(zones, encloser)?.nodes;
  for (let length = 1; length <= LABEL_BYTES_MAX; length += 1) {
    const name = `${String.fromCharCode(length)}${'-'.repeat(length)}${encloser}` as NameKey;
    if (name.length >= NAME_BYTES_MAX) return undefined;
    if (name.length !== asked.length && nodes?.has(name) === false && !zones.has(name)) return name;
  }
  return undefined;
}

/**
 * The names right below `encloser` that a reply mentions, or that lie above one it mentions; what
 * was `asked` is not counted.
 */
export function mentionedBelow(
  reply: Reply,
  { encloser, asked }: { readonly encloser: NameKey; readonly asked: NameKey },
): ReadonlySet<NameKey> {
  const mentioned = new Set<NameKey>([wildcardUnder(encloser)]);
  const entries = [...reply.answer, ...reply.authority, ...reply.glue, ...reply.additional];
  for (const { owner, rrset } of entries) {
    const parts = rrset.records.flatMap((record) => record.parts);
    for (const name of [owner, ...parts.filter((part) => typeof part === 'string')]) {
      if (name === asked) continue;
      let below = name;
      while (isWithin(below, encloser) && below !== encloser) {
        if (parentOf(below) === encloser) mentioned.add(below);
        below = parentOf(below);
      }
    }
  }
  return mentioned;
}

/**
 * The offsets at which two answers to questions of different lengths differ, if all that differs
 * are pointers that moved along with the question's end; undefined: something else differs.
 */
export function movedPointers(one: Template, other: Template): readonly number[] | undefined {
  const moved = other.madeAt - one.madeAt;
  if (one.tail.length !== other.tail.length || moved === 0) return undefined;
  const pointers: number[] = [];
  for (let at = 0; at < one.tail.length; at += 1) {
    if (one.tail[at] === other.tail[at]) continue;
    // It is the second byte that differs, and the first as well where there was a carry.
    const start = [at - 1, at].find((from) => hasMoved(one.tail, other.tail, { from, moved }));
    if (start === undefined) return undefined;
    pointers.push(start);
    at = start + 1;
  }
  return pointers;
}

function hasMoved(
  one: Uint8Array,
  other: Uint8Array,
  { from, moved }: { readonly from: number; readonly moved: number },
): boolean {
  const [before, after] = [word(one, from), word(other, from)];
  return before >= 0xc000 && after >= 0xc000 && before + moved === after;
}
