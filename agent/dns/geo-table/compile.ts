import { GEO_FIELDS } from '../geo/geo-record.ts';
import { encodedBytes, encodeParts, HASH_AT } from './format.ts';
import { hashOf } from './hash.ts';
import { type Mmdb, openMmdb } from './mmdb.ts';
import { PLACES_MAX, PlaceTable } from './places.ts';
import { encodeRanges } from './range-encoder.ts';
import { RangeList } from './ranges.ts';
import { ipv4Root, LEAVES_MAX, type Subtree, walkLeaves } from './walk.ts';

/** Numbers in lists of ranges from here on are aliases: there are never so many places. */
const FIRST_ALIAS = 2 ** 31;

/**
 * Compiles a database in MaxMind DB format to the table that nameservers look clients up in (see
 * `format.ts`): the same answers in a fifth of the memory. `source` names it for people. Throws
 * when the bytes are no such database, or one whose tree is damaged.
 */
export function compileGeoTable({
  source,
  bytes,
}: {
  readonly source: string;
  readonly bytes: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  try {
    return compile(openMmdb(bytes, GEO_FIELDS));
  } catch (cause) {
    throw new Error(`read ${source} as a MaxMind DB`, { cause });
  }
}

/** One family of addresses within the tree. */
interface Family {
  readonly words: 1 | 4;
  readonly subtree: Subtree;
  /** Where the walk ends because IPv4 begins there; -1: nowhere. */
  readonly stop: number;
}

function compile(mmdb: Mmdb): Uint8Array<ArrayBuffer> {
  const places = new PlaceTable(mmdb);
  const aliasBits: number[] = [];
  const lists = familiesOf(mmdb).map(({ words, subtree, stop }) => {
    const list = new RangeList(words, (pointer) =>
      // A pointer below the tree stands for an alias.
      pointer < 0 ? FIRST_ALIAS - 1 - pointer : places.placeOf(pointer),
    );
    const onStop = (depth: number): number => -aliasBits.push(depth);
    walkLeaves(mmdb, subtree, { onLeaf: list.onLeaf, stop, onStop });
    list.finish();
    return list;
  });
  const { order, numbers } = commonestFirst(places.size, lists);
  const numberOf = (place: number): number =>
    place < FIRST_ALIAS ? (numbers[place] ?? 0) : places.size + place - FIRST_ALIAS;
  const sections = lists.map((list) => encodeRanges(list, numberOf));
  return tableOf({
    ...places.columns(order),
    aliasBits: Uint32Array.from(aliasBits),
    ipv4: sections.find(({ words }) => words === 1),
    ipv6: sections.find(({ words }) => words === 4),
  });
}

function familiesOf(mmdb: Mmdb): readonly Family[] {
  const root = ipv4Root(mmdb);
  const ipv4 = { words: 1, subtree: { root, bits: 32 }, stop: -1 } as const;
  if (mmdb.ipVersion === 4) return [ipv4];
  const stop = root < mmdb.nodeCount ? root : -1;
  return [ipv4, { words: 4, subtree: { root: 0, bits: 128 }, stop }];
}

/** Small numbers for common places; the unknown place stays 0. */
function commonestFirst(
  size: number,
  lists: readonly RangeList[],
): { readonly order: Uint32Array; readonly numbers: Uint32Array } {
  const counts = new Uint32Array(size);
  for (const { places, count } of lists) {
    for (let index = 0; index < count; index += 1) {
      const place = places[index] ?? 0;
      if (place < size) counts[place] = (counts[place] ?? 0) + 1;
    }
  }
  // Sorted as plain numbers, several times as fast: what is rare and late becomes the largest.
  const keys = new Float64Array(size);
  for (let place = 1; place < size; place += 1)
    keys[place] = (LEAVES_MAX - (counts[place] ?? 0)) * PLACES_MAX + place;
  keys.sort();
  const order = new Uint32Array(size);
  const numbers = new Uint32Array(size);
  for (let number = 0; number < size; number += 1) {
    const place = (keys[number] ?? 0) % PLACES_MAX;
    order[number] = place;
    numbers[place] = number;
  }
  return { order, numbers };
}

function tableOf(parts: Parameters<typeof encodeParts>[0]): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(encodedBytes(parts));
  encodeParts(parts, table);
  table.set(hashOf(table), HASH_AT);
  return table;
}
