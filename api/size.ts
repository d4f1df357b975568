/** What measureJson found: the bytes, or which bound was passed (it stops there). */
export type Measure =
  | { readonly kind: 'bytes'; readonly sizeBytes: number }
  | { readonly kind: 'tooLarge' | 'tooDeep' };

interface Bounds {
  readonly sizeBytesMax: number;
  readonly depthMax: number;
}

/**
 * About how large a value is as JSON. It stops at the bounds, so that a small file that repeats
 * itself through YAML aliases, or nests without end, costs no more than they allow.
 */
export function measureJson(value: unknown, bounds: Bounds): Measure {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let sizeBytes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.depth > bounds.depthMax) return { kind: 'tooDeep' };
    const depth = next.depth + 1;
    if (typeof next.value === 'string') sizeBytes += Buffer.byteLength(next.value) + 2;
    else if (typeof next.value !== 'object' || next.value === null) sizeBytes += 5;
    else {
      for (const [key, child] of Object.entries(next.value)) {
        sizeBytes += Array.isArray(next.value) ? 1 : Buffer.byteLength(key) + 4;
        waiting.push({ value: child, depth });
      }
      sizeBytes += 2;
    }
    if (sizeBytes > bounds.sizeBytesMax) return { kind: 'tooLarge' };
  }
  return { kind: 'bytes', sizeBytes };
}
