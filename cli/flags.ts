import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../api/duration.ts';

/** Milliseconds, of flags such as `--timeout 90s`, `1h30m` or `0`. */
export function durationMsOf(text: string): number {
  const durationMs = text === '0' ? 0 : parseDurationMs(text);
  if (durationMs === undefined) throw new InvalidArgumentError('Write it like 30s, 5m or 1h30m.');
  return durationMs;
}

/** Of `--at 1234`. */
export function revisionOf(text: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('A revision is a number, see metadata.resourceVersion.');
}

/** Of flags that are on, or off with `=false`: `--wait=false`. */
export function switchOf(text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw new InvalidArgumentError('Write true or false.');
}

/** A whole number from 1. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a whole number from 1.');
}
