import type { HttpRequest } from '../../../runtime/http.ts';

/** What was looked at of a request. */
export interface ReadNotes {
  /** Names of header fields, also of those that were not sent. */
  readonly fields: Set<string>;
  /** Whether something was looked at that nobody has thought of here, such as all fields at once. */
  others: 'none' | 'some';
}

/** The same request, which notes what is looked at. */
export function watchReads(request: HttpRequest, notes: ReadNotes): HttpRequest {
  const headers = new Proxy(request.headers, {
    get(target, name, receiver) {
      if (typeof name === 'string') notes.fields.add(name);
      return Reflect.get(target, name, receiver) as unknown;
    },
    has(target, name) {
      if (typeof name === 'string') notes.fields.add(name);
      return Reflect.has(target, name);
    },
    ownKeys(target) {
      notes.others = 'some';
      return Reflect.ownKeys(target);
    },
  });
  return new Proxy(request, {
    get(target, name, receiver) {
      if (name === 'headers') return headers;
      if (!KNOWN.has(name)) notes.others = 'some';
      return Reflect.get(target, name, receiver) as unknown;
    },
    ownKeys(target) {
      notes.others = 'some';
      return Reflect.ownKeys(target);
    },
  });
}

const KNOWN: ReadonlySet<string | symbol> = new Set(['method', 'path', 'host', 'secure']);
