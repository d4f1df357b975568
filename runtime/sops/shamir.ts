/**
 * Puts a secret together that was shared among several (Shamir 1979, over the field of 256 elements
 * with the polynomial of AES): each share is as long as the secret, with its place in the last byte.
 * Undefined: they are no shares of one secret. Too few of them give another secret.
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array | undefined {
  const places = shares.map((share) => share.at(-1) ?? 0);
  const sizeBytes = (shares[0]?.length ?? 0) - 1;
  const isOne = shares.every((share) => share.length === sizeBytes + 1);
  if (sizeBytes < 1 || !isOne || places.includes(0) || new Set(places).size < places.length)
    return undefined;
  // Lagrange's polynomial at zero; to add and to subtract are one.
  const weights = places.map((place) =>
    places
      .filter((other) => other !== place)
      .reduce((product, other) => times(product, times(other, inverse(place ^ other))), 1),
  );
  return Uint8Array.from({ length: sizeBytes }, (_, index) =>
    shares.reduce((sum, share, at) => sum ^ times(share[index] ?? 0, weights[at] ?? 0), 0),
  );
}

/** FIPS 197 §4.2. */
export function times(one: number, other: number): number {
  let product = 0;
  for (let bit = 0, shifted = one; bit < 8; bit += 1) {
    if ((other >> bit) & 1) product ^= shifted;
    shifted = (shifted << 1) ^ (shifted & 0x80 ? 0x11b : 0);
  }
  return product;
}

/** To the power of 254. */
function inverse(value: number): number {
  let result = 1;
  for (let count = 0; count < 254; count += 1) result = times(result, value);
  return result;
}
