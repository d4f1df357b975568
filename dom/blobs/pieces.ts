/** One piece, and then the others. */
export async function* preceded(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next())
      yield next.value;
  } finally {
    await rest.return?.();
  }
}

/**
 * The same bytes in pieces of this size, but for the last one. Each is good until the next one is
 * asked for: all are in the same memory, of that size; and so may the chunks be.
 */
export async function* gathered(
  chunks: AsyncIterable<Uint8Array>,
  memory: Uint8Array,
): AsyncGenerator<Uint8Array> {
  let usedBytes = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + memory.byteLength - usedBytes);
      memory.set(part, usedBytes);
      usedBytes += part.byteLength;
      at += part.byteLength;
      if (usedBytes < memory.byteLength) continue;
      yield memory;
      usedBytes = 0;
    }
  }
  if (usedBytes > 0) yield memory.subarray(0, usedBytes);
}
