import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../runtime/clock.ts';
import type { GeoNameRecord, ZoneRecord } from '../../runtime/store/records.ts';

/** A zone has this many versions a second at most because of proofs for CAs. */
export const PROOF_VERSIONS_PER_S_MAX = 4;

/**
 * When each zone got its last version. A thousand certificates that are ordered at once put up a
 * thousand proofs; each version of a zone goes whole to every nameserver, so a few of them must do.
 */
export class VersionTimes {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** By zone. */
  readonly #wroteMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  wrote(zone: string): void {
    this.#wroteMs.set(zone, this.#clock.monotonicMs());
  }

  forget(zone: string): void {
    this.#wroteMs.delete(zone);
  }

  /** How long a version still waits, so that more may come into it; 0: it does not. */
  restMs(zone: string, before: ZoneRecord | undefined, after: ZoneRecord | undefined): number {
    const wroteMs = this.#wroteMs.get(zone);
    if (wroteMs === undefined || before === undefined || after === undefined) return 0;
    if (!mayWait(before, after)) return 0;
    const nextMs = wroteMs + 1000 / PROOF_VERSIONS_PER_S_MAX;
    return Math.max(0, Math.ceil(nextMs - this.#clock.monotonicMs()));
  }
}

/**
 * What a person declares has another generation, and what leads to nodes that serve a Site is not
 * held back either. Addresses of nameservers may be: they change as seldom as the nodes do.
 */
function mayWait(before: ZoneRecord, after: ZoneRecord): boolean {
  if (!isDeepStrictEqual(fixed(before), fixed(after))) return false;
  if (before.geoNames.length !== after.geoNames.length) return false;
  return after.geoNames.every((name, index) => isOfProofs(before.geoNames[index], name));
}

function fixed(zone: ZoneRecord): object {
  const { serial: _, records: __, geoNames: ___, nodeUids: ____, ...rest } = zone;
  return rest;
}

/** Both are sorted by name. */
function isOfProofs(before: GeoNameRecord | undefined, after: GeoNameRecord): boolean {
  if (before?.name !== after.name) return false;
  if (after.standIn !== undefined) return true;
  const wentAway = before.standIn !== undefined && after.candidates.length === 0;
  return wentAway || isDeepStrictEqual(before, after);
}
