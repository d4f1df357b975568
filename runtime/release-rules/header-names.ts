/** Headers that frame the message or name what is served: a rule cannot make them lie. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'b8s-node',
  'b8s-release',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'date',
  'etag',
  'keep-alive',
  'location',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A field value of printable ASCII (RFC 9110 §5.5). */
export const HEADER_VALUE: RegExp = /^[\t\u0020-\u007e]*$/u;

/** A field name (RFC 9110 §5.6.2). */
export const HEADER_NAME: RegExp = /^[!#$%&'*+\-.^_`|~\w]+$/u;

/** The edge alone sets it; `name` in lower case. */
export function isReserved(name: string): boolean {
  return RESERVED_HEADERS.has(name);
}

/** What Node would refuse to send must not be able to break a response. */
export function isSendable(name: string, value: string): boolean {
  return HEADER_NAME.test(name) && HEADER_VALUE.test(value) && !isReserved(name.toLowerCase());
}
