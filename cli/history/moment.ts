import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../../api/duration.ts';
import type { Moment } from '../../runtime/api-client.ts';

/** What a person means by `--at`: a revision, a time, or how long ago. */
export type Asked = Moment | { readonly agoMs: number };

/** Of `--at 1234`, `--at 2027-01-15T12:00:00Z`, `--at 2027-01-15`, `--at 2h`. */
export function momentAsked(text: string): Asked {
  if (/^[1-9]\d{0,18}$/.test(text)) return { revision: BigInt(text) };
  const agoMs = parseDurationMs(text.replace(/^-/, ''));
  if (agoMs !== undefined) return { agoMs };
  const timeMs = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return { timeMs };
  throw new InvalidArgumentError(
    'Write a revision (1234), a time (2027-01-15T12:00:00Z), or how long ago (2h).',
  );
}

export function momentOf(asked: Asked, nowMs: number): Moment {
  return 'agoMs' in asked ? { timeMs: nowMs - asked.agoMs } : asked;
}
