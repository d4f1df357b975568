/** What is served; all else is refused with 405, and with this as its `Allow` (RFC 9110 §10.2.1). */
export const ALLOWED_METHODS = 'GET, HEAD, OPTIONS';

const ALLOWED: ReadonlySet<string> = new Set(ALLOWED_METHODS.split(', '));

/** Methods are told apart by case (RFC 9110 §9.1). */
export function isAllowedMethod(method: string): boolean {
  return ALLOWED.has(method);
}
