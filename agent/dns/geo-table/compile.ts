import { encodedBytes, encodeParts, HASH_AT, LENGTHS, MANTISSA_MAX } from './format.ts';
import { hashOf } from './hash.ts';
import { type Mmdb, openMmdb } from './mmdb.ts';
import { PlaceTable } from './places.ts';
import { RangeEncoder } from './range-encoder.ts';
import { lengthOf, type Range, RangeMerger } from './ranges.ts';
import { ipv4Root, type Subtree, walkLeaves } from './walk.ts';

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
    return compile(openMmdb(bytes));
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
  const families = familiesOf(mmdb);
  // First what there is, then, with the commonest things known, the codes.
  const surveys = families.map((family) => survey(mmdb, places, family));
  const { order, numbers } = commonestFirst(places.size, surveys);
  const aliasBits: number[] = [];
  const sections = families.map((family, index) => {
    const encoder = new RangeEncoder(family.words, surveys[index]?.lengths ?? []);
    const merger = new RangeMerger(family.words, {
      // A pointer below the tree stands for an alias.
      placeOf: (pointer) =>
        pointer < 0 ? places.size - 1 - pointer : (numbers[places.placeOf(pointer)] ?? 0),
      onRange: (range) => encoder.add(range),
    });
    walkLeaves(mmdb, family.subtree, {
      ...{ onLeaf: merger.onLeaf, stop: family.stop },
      onStop: (depth) => -aliasBits.push(depth),
    });
    merger.finish();
    return encoder.section();
  });
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

interface Survey {
  /** How many ranges each place has, by its number in the `PlaceTable`. */
  readonly ranges: readonly number[];
  /** The commonest, `LENGTHS` at most. */
  readonly lengths: readonly { readonly mantissa: number; readonly exponent: number }[];
}

function survey(mmdb: Mmdb, places: PlaceTable, { words, subtree, stop }: Family): Survey {
  const ranges: number[] = [];
  const lengths = new Map<number, number>();
  const onRange = (range: Range): void => {
    ranges[range.place] = (ranges[range.place] ?? 0) + 1;
    const length = lengthOf(range, MANTISSA_MAX);
    if (length === undefined) return;
    const key = length.mantissa * 256 + length.exponent;
    lengths.set(key, (lengths.get(key) ?? 0) + 1);
  };
  const merger = new RangeMerger(words, { placeOf: (at) => places.placeOf(at), onRange });
  walkLeaves(mmdb, subtree, { onLeaf: merger.onLeaf, stop });
  merger.finish();
  const commonest = [...lengths].toSorted((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, LENGTHS);
  return {
    ranges,
    lengths: commonest.map(([key]) => ({ mantissa: Math.floor(key / 256), exponent: key % 256 })),
  };
}

/** Small numbers for common places; the unknown place stays 0. */
function commonestFirst(
  size: number,
  surveys: readonly Survey[],
): { readonly order: Uint32Array; readonly numbers: Uint32Array } {
  const counts = new Float64Array(size);
  for (const { ranges } of surveys) {
    for (const [place, count = 0] of ranges.entries()) {
      counts[place] = (counts[place] ?? 0) + count;
    }
  }
  const order = Uint32Array.from(counts, (_, place) => place);
  order.subarray(1).sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  const numbers = new Uint32Array(size);
  for (const [number, place] of order.entries()) numbers[place] = number;
  return { order, numbers };
}

function tableOf(parts: Parameters<typeof encodeParts>[0]): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(encodedBytes(parts));
  encodeParts(parts, table);
  table.set(hashOf(table), HASH_AT);
  return table;
}
