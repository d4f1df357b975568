/** Fields of what a CA sent, each checked where it is read. Errors name the field. */
export interface Fields {
  /** Printable text; longer than this is refused. */
  text(name: string, charactersMax?: number): string;
  optionalText(name: string, charactersMax?: number): string | undefined;
  flag(name: string): boolean;
  /** A list of at most so many; absent: empty. */
  list(name: string, itemsMax: number): readonly unknown[];
  group(name: string): Fields | undefined;
  /** RFC 3339, as milliseconds. */
  optionalTimeMs(name: string): number | undefined;
  /** A URL that may be asked. */
  url(name: string): string;
  optionalUrl(name: string): string | undefined;
  /** Names of the fields, in the order in which they were sent. */
  readonly names: readonly string[];
}

/** Throws when the bytes are no JSON object. `allowed` says why a URL may not be asked, if so. */
export function parseFields(body: Uint8Array, urlProblem: UrlProblem): Fields {
  return fieldsOf(parseJson(body), urlProblem);
}

/** Why a URL must not be asked; undefined: it may. */
export type UrlProblem = (url: string) => string | undefined;

export function fieldsOf(value: unknown, urlProblem: UrlProblem): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('not a JSON object');
  const object = new Map(Object.entries(value));

  function optionalText(name: string, charactersMax = TEXT_CHARACTERS_MAX): string | undefined {
    const text = object.get(name) as unknown;
    if (text === undefined || text === null) return undefined;
    if (typeof text !== 'string') throw new Error(`its field ${name} is no text`);
    if (text.length > charactersMax) throw new Error(`its field ${name} is too long`);
    return text;
  }

  function optionalUrl(name: string): string | undefined {
    const url = optionalText(name, URL_CHARACTERS_MAX);
    const problem = url === undefined ? undefined : urlProblem(url);
    if (problem !== undefined) throw new Error(`its field ${name} ${problem}`);
    return url;
  }

  return {
    optionalText,
    optionalUrl,
    text: (name, charactersMax) => there(name, optionalText(name, charactersMax)),
    url: (name) => there(name, optionalUrl(name)),
    flag: (name) => object.get(name) === true,
    list(name, itemsMax) {
      const items = (object.get(name) ?? []) as unknown;
      if (!Array.isArray(items)) throw new Error(`its field ${name} is no list`);
      if (items.length > itemsMax) throw new Error(`its field ${name} has too many items`);
      return items;
    },
    group(name) {
      const group = object.get(name) as unknown;
      return group === undefined || group === null ? undefined : fieldsOf(group, urlProblem);
    },
    optionalTimeMs(name) {
      const text = optionalText(name);
      if (text === undefined) return undefined;
      const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
      if (Number.isNaN(ms)) throw new Error(`its field ${name} is no time`);
      return ms;
    },
    names: [...object.keys()],
  };
}

/** What a person may be shown of what a CA said: one line, and not too long. */
export function printable(text: string, charactersMax = 1_000): string {
  const line = text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return line.length > charactersMax ? `${line.slice(0, charactersMax)}…` : line;
}

const TEXT_CHARACTERS_MAX = 4_096;
const URL_CHARACTERS_MAX = 2_048;
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

function there<Value>(name: string, value: Value | undefined): Value {
  if (value === undefined) throw new Error(`it has no field ${name}`);
  return value;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new Error('not JSON');
  }
}
