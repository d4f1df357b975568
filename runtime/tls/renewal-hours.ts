import { type CertificateSpec, WEEKDAYS } from '../../api/certificate.ts';

/** Hours of the week, UTC, to which renewals are kept. */
export type RenewalHours = NonNullable<NonNullable<CertificateSpec['renewal']>['window']>;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WEEK_DAYS = 7;

interface Opening {
  readonly opensMs: number;
  readonly closesMs: number;
}

/** Pure: the last hours that are open between two moments, as far as they lie between them. */
export function lastOpening(
  hours: RenewalHours,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Opening | undefined {
  // An opening may begin on the day before, and none is more than a week away.
  for (let back = 0; back <= WEEK_DAYS + 1; back += 1) {
    const opening = openingOf(hours, dayOf(untilMs) - back * DAY_MS);
    if (opening === undefined) continue;
    const opensMs = Math.max(fromMs, opening.opensMs);
    const closesMs = Math.min(untilMs, opening.closesMs);
    if (opensMs < closesMs) return { opensMs, closesMs };
  }
  return undefined;
}

/** Pure: `nowMs` while the hours are open, else when they open next; undefined: never. */
export function nextOpening(hours: RenewalHours, nowMs: number): number | undefined {
  for (let day = -1; day <= WEEK_DAYS; day += 1) {
    const opening = openingOf(hours, dayOf(nowMs) + day * DAY_MS);
    if (opening !== undefined && nowMs < opening.closesMs) return Math.max(nowMs, opening.opensMs);
  }
  return undefined;
}

/** What opens on the day that begins at that moment. */
function openingOf({ days, from, to }: RenewalHours, dayMs: number): Opening | undefined {
  // 1 January 1970 was a Thursday.
  const weekday = WEEKDAYS[(((dayMs / DAY_MS + 3) % WEEK_DAYS) + WEEK_DAYS) % WEEK_DAYS];
  if (days.length > 0 && !days.some((day) => day === weekday)) return undefined;
  const [fromMs, toMs] = [ofDayMs(from), ofDayMs(to)];
  return { opensMs: dayMs + fromMs, closesMs: dayMs + toMs + (toMs <= fromMs ? DAY_MS : 0) };
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

/** Of "02:30". */
function ofDayMs(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':');
  return (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}
