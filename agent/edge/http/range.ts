/** Bytes `start` (inclusive) to `end` (exclusive); never empty. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More in one request are an attack or a broken client (RFC 9110 §17.15): all is sent instead. */
export const RANGES_MAX = 16;
/** About what the head of one more part costs: who leaves out less than that gets it all at once. */
const GAP_BYTES_MAX = 128;

/**
 * Reads a `Range` header (RFC 9110 §14.1.2, §14.2): the ranges to send, in the order in which they
 * were asked for. Those that overlap, or nearly touch, are one (§15.3.7.2), so that no byte is sent
 * twice. Undefined: send the whole file, because there is no such header, it is not valid or asks
 * for too much (§14.2), or the parts would come to more than the file.
 */
export function parseRanges(
  header: string | undefined,
  sizeBytes: number,
): readonly ByteRange[] | 'unsatisfiable' | undefined {
  const specs = rangeSpecs(header);
  if (specs === undefined) return undefined;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseRange(spec, sizeBytes);
    if (range === 'invalid') return undefined;
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (ranges.length === 0) return 'unsatisfiable';
  const joined = coalesce(ranges);
  const [first] = joined;
  // There is no way to name the bytes of an empty file: all of nothing is sent.
  if (first === undefined || first.end === 0) return undefined;
  if (joined.length === 1) return joined;
  const sentBytes = joined.reduce((sum, { start, end }) => sum + GAP_BYTES_MAX + end - start, 0);
  return sentBytes < sizeBytes ? joined : undefined;
}

function rangeSpecs(header: string | undefined): readonly string[] | undefined {
  if (header === undefined || !/^bytes=/iu.test(header)) return undefined;
  // An empty element of a list says nothing (§5.6.1.2).
  const specs = header
    .slice('bytes='.length)
    .split(',', LIST_LENGTH_MAX)
    .map((each) => each.trim())
    .filter((each) => each !== '');
  return specs.length === 0 || specs.length > RANGES_MAX ? undefined : specs;
}

/** With so many elements, most of them are empty, or too many are not. */
const LIST_LENGTH_MAX = 4 * RANGES_MAX;

function parseRange(spec: string, sizeBytes: number): ByteRange | 'invalid' | 'unsatisfiable' {
  const { first, last } = /^(?<first>\d*)-(?<last>\d*)$/u.exec(spec)?.groups ?? {};
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'invalid';
  if (first === '') {
    const suffixBytes = Number(last);
    if (suffixBytes === 0) return 'unsatisfiable';
    return { start: Math.max(0, sizeBytes - suffixBytes), end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'invalid';
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}

/** Each stands where the first of those that became it stood. */
function coalesce(ranges: readonly ByteRange[]): readonly ByteRange[] {
  let joined: readonly ByteRange[] = [];
  for (const range of ranges) {
    const near = joined.filter((each) => isNear(each, range));
    const [place] = near;
    if (place === undefined) {
      joined = [...joined, range];
      continue;
    }
    const start = Math.min(range.start, ...near.map((each) => each.start));
    const end = Math.max(range.end, ...near.map((each) => each.end));
    joined = joined.flatMap((each) =>
      each === place ? [{ start, end }] : near.includes(each) ? [] : [each],
    );
  }
  return joined;
}

function isNear(one: ByteRange, other: ByteRange): boolean {
  return one.start <= other.end + GAP_BYTES_MAX && other.start <= one.end + GAP_BYTES_MAX;
}
