import { isSerialGreater, SERIALS } from '../../runtime/dns/serial.ts';

export { isSerialGreater };

/**
 * The serial of a new version of a zone (RFC 1982): the time in seconds since the epoch, or one
 * more than the previous serial where that is greater, so it never decreases (INV-22).
 */
export function nextSerial(previous: number | undefined, nowMs: number): number {
  const nowS = Math.floor(nowMs / 1000) % SERIALS;
  if (previous === undefined) return nowS;
  return isSerialGreater(nowS, previous) ? nowS : (previous + 1) % SERIALS;
}

/** The one after which all others come; undefined: there are none. */
export function greatestSerial(serials: readonly number[]): number | undefined {
  return serials.length === 0
    ? undefined
    : serials.reduce((one, other) => (isSerialGreater(one, other) ? one : other));
}
