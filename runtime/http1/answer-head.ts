import type { HttpHeaders } from '../http.ts';

/**
 * Status line and headers of an answer (RFC 9112 §4, §5), without the empty line at their end, so
 * that whoever sends it can add what changes with time and connection.
 *
 * Errors: throws a `TypeError` where a name or value could not be sent (RFC 9110 §5.5, §5.6.2).
 */
export function encodeAnswerHead(status: number, headers: HttpHeaders): string {
  let head = `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n`;
  for (const [name, value] of headers) {
    if (!NAME.test(name) || !VALUE.test(value))
      throw new TypeError(`header ${name} cannot be sent`);
    head += `${name}: ${value}\r\n`;
  }
  return head;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;
const VALUE = /^[\t -~\u0080-\u00ff]*$/u;

/** RFC 9110 §15. Clients do not look at them; people who debug do. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  416: 'Range Not Satisfiable',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
};
