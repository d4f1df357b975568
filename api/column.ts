import { formatDuration } from './duration.ts';
import type { Column } from './kind.ts';
import { condition, type Resource } from './object.ts';

/** What a table shows for a value that is not known. */
export const UNKNOWN = '<unknown>';

/** What a table shows for a value that there is none of. */
export const NONE = '<none>';

/** NAME. */
export const nameColumn: Column = { header: 'NAME', value: (object) => object.metadata.name };

/** READY: the status of the condition Ready; nobody has looked yet: Unknown. */
export const readyColumn: Column = { header: 'READY', value: (object) => ready(object) };

/** REASON, wide: the reason of the condition Ready. */
export const reasonColumn: Column = {
  header: 'REASON',
  wide: true,
  value: (object) => condition(object, 'Ready')?.reason ?? NONE,
};

/** AGE: the time since the object was created. */
export const ageColumn: Column = {
  header: 'AGE',
  value: (object, nowMs) => since(object.metadata.creationTimestamp, nowMs),
};

export function ready(object: Resource): string {
  return condition(object, 'Ready')?.status ?? 'Unknown';
}

/** How long ago an RFC 3339 time was. */
export function since(time: string | undefined, nowMs: number): string {
  const timeMs = Date.parse(time ?? '');
  return Number.isNaN(timeMs) ? UNKNOWN : formatDuration(nowMs - timeMs);
}

/** How long it is until an RFC 3339 time; `overdue` names what a time in the past is called. */
export function until(time: string | undefined, nowMs: number, overdue: string): string {
  const timeMs = Date.parse(time ?? '');
  if (Number.isNaN(timeMs)) return UNKNOWN;
  return timeMs <= nowMs ? overdue : formatDuration(timeMs - nowMs);
}

/** The first few of a list: `a,b,c + 4 more`. */
export function several(values: readonly string[], shown = 3): string {
  if (values.length === 0) return NONE;
  const more = values.length - shown;
  const first = values.slice(0, shown).join(',');
  return more > 0 ? `${first} + ${more} more` : first;
}

/** `sha256-0123…` as `0123456789ab`. */
export function shortDigest(digest: string | undefined): string {
  return digest === undefined ? NONE : digest.replace(/^sha256-/, '').slice(0, 12);
}

/** A size for people: `999B`, `1.2KiB`, `34MiB`. */
export function formatBytes(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && size < 10 ? 1 : 0;
  return `${size.toFixed(digits)}${BYTE_UNITS[unit] ?? ''}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
