/** What dom's certificate is called, whatever address it is reached by. */
export const DOM_SERVER_NAME = 'dom.b8s.internal';

/** The names in dom's server certificate: its own, this machine's loopback, and `hosts`. */
export function domServerNames(hosts: readonly string[]): readonly string[] {
  return [...new Set([DOM_SERVER_NAME, 'localhost', '127.0.0.1', ...hosts])];
}
