/** How many serials there are: they go round in a circle. */
export const SERIALS: number = 2 ** 32;

/** RFC 1982 §3.2; false for two serials half the circle apart, where the order is undefined. */
export function isSerialGreater(one: number, other: number): boolean {
  const distance = (one - other + SERIALS) % SERIALS;
  return distance > 0 && distance < SERIALS / 2;
}
