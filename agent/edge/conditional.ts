/** The conditions of a request (RFC 9110 §13), each absent or as sent. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * In the order of RFC 9110 §13.2.2. Dates are not looked at: without `Last-Modified` no client has
 * one that means anything.
 */
export function evaluateConditions(
  { ifMatch, ifNoneMatch }: Conditions,
  etag: string,
): 'proceed' | 'not modified' | 'precondition failed' {
  if (ifMatch !== undefined && !matches(ifMatch, etag, 'strong')) return 'precondition failed';
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, etag, 'weak')) return 'not modified';
  return 'proceed';
}

/** Whether `Range` counts (RFC 9110 §13.1.5): a date or a weak tag never vouches for the bytes. */
export function rangeIsCurrent(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag;
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
