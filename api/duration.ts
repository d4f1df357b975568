const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNITS_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};

/** The longest duration that is understood: about 273 years. */
const DURATION_DAYS_MAX = 99_999;

/** The milliseconds of `90d`, `12h`, `30m`, `10s` or `1h30m`; undefined: not a duration. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m)?(?:\d{1,9}s)?$/.test(text) || text === '') {
    return undefined;
  }
  let durationMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g)) {
    durationMs += Number(count) * (UNITS_MS[unit ?? ''] ?? 0);
  }
  return durationMs <= DURATION_DAYS_MAX * DAY_MS ? durationMs : undefined;
}

/**
 * A duration for a table, in at most two units, as kubectl shows ages: `45s`, `5m30s`, `90m`, `3h12m`,
 * `2d4h`, `90d`, `3y12d`. Negative durations are `0s`.
 */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / SECOND_MS));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return pair(Math.floor(days / 365), 'y', days % 365, 'd');
}

function pair(most: number, unit: string, least: number, leastUnit: string): string {
  return least === 0 ? `${most}${unit}` : `${most}${unit}${least}${leastUnit}`;
}
