import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../runtime/clock.ts';
import type { ZoneRecord } from '../../runtime/records.ts';

/** A zone has this many versions a second at most because of texts alone, such as proofs. */
export const TEXT_VERSIONS_PER_S_MAX = 4;

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
    if (!isDeepStrictEqual(withoutTexts(before), withoutTexts(after))) return 0;
    const nextMs = wroteMs + 1000 / TEXT_VERSIONS_PER_S_MAX;
    return Math.max(0, Math.ceil(nextMs - this.#clock.monotonicMs()));
  }
}

/** What a person declares has another generation, and is never held back. */
function withoutTexts({ serial: _, records, ...rest }: ZoneRecord): object {
  return { ...rest, records: records.filter(({ type }) => type !== 'TXT') };
}
