import { parseHttpDate } from './http-date.ts';

/** The conditions of a GET or HEAD (RFC 9110 §13.1), each absent or as sent. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

/** What tells one state of a resource from another (RFC 9110 §8.8). */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Whole seconds since 1970; undefined: not known, so that no date says anything. */
  readonly modifiedS: number | undefined;
}

/** In the order of RFC 9110 §13.2.2: a date counts only where no entity tag is asked for. */
export function evaluateConditions(
  { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince }: Conditions,
  { etag, modifiedS }: Validators,
): 'proceed' | 'not modified' | 'precondition failed' {
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag, 'strong')) return 'precondition failed';
  } else if (isAfter(modifiedS, ifUnmodifiedSince) === true) return 'precondition failed';
  if (ifNoneMatch !== undefined)
    return matches(ifNoneMatch, etag, 'weak') ? 'not modified' : 'proceed';
  return isAfter(modifiedS, ifModifiedSince) === false ? 'not modified' : 'proceed';
}

/**
 * Whether `Range` counts (RFC 9110 §13.1.5): the tag must be the same by the strong comparison, or
 * the date exactly that of the last change. A node changes release at most once a second by that
 * date, so it is a strong validator (§8.8.2.2).
 */
export function rangeIsCurrent(
  ifRange: string | undefined,
  { etag, modifiedS }: Validators,
): boolean {
  if (ifRange === undefined) return true;
  const validator = ifRange.trim();
  if (validator === etag) return true;
  return modifiedS !== undefined && parseHttpDate(validator, modifiedS) === modifiedS;
}

/** Undefined: there is no date to go by, or it is none and must be ignored (§13.1.3, §13.1.4). */
function isAfter(modifiedS: number | undefined, date: string | undefined): boolean | undefined {
  if (modifiedS === undefined || date === undefined) return undefined;
  const dateS = parseHttpDate(date.trim(), modifiedS);
  return dateS === undefined ? undefined : modifiedS > dateS;
}

function matches(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  // A tag may hold a comma, so the list is searched for tags rather than split.
  for (const [tag] of list.matchAll(/(?:W\/)?"[^"]*"/gu)) {
    if (tag === etag) return true;
    if (comparison === 'weak' && tag.startsWith('W/') && tag.slice(2) === etag) return true;
  }
  return false;
}
