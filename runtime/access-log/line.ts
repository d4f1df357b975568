/** How a Site may have its lines written. */
export type LineFormat = 'json' | 'combined';

/** One request that was answered, or an answer that its client did not wait for. */
export interface AccessEntry {
  /** When the answer was over, milliseconds since 1970 UTC. */
  readonly atMs: number;
  readonly node: string;
  /** "namespace/name" */
  readonly site: string;
  /** Left out: not known, or not to be noted. */
  readonly client?: string | undefined;
  /** Left out: the line that it was read from does not say. */
  readonly host?: string | undefined;
  readonly method: string;
  /** With its query, as sent. */
  readonly path: string;
  /** "HTTP/1.1", as nginx writes it: "HTTP/2.0". */
  readonly protocol: string;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  /** From the whole request to the end of its answer. Left out: the line does not say. */
  readonly durationMs?: number | undefined;
  /** `cut`: its client left before it had all of it, or the bytes could not be read any more. */
  readonly ending: 'whole' | 'cut';
  /** Left out: not sent. */
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** Of what a client may say at any length, in characters; longer ones end in "...". */
export const FIELD_LENGTH_MAX = 2048;

/**
 * The line of an entry, with its end. What a client sends is one line, whatever it holds: quotes,
 * backslashes, control characters and all beyond ASCII are escaped, so nobody can write lines of
 * their own into the log, or move the cursor of who reads it.
 */
export function formatLine(entry: AccessEntry, format: LineFormat): string {
  return format === 'json' ? jsonLine(entry) : combinedLine(entry);
}

function jsonLine(entry: AccessEntry): string {
  const { atMs, node, site, client, protocol, status, bytes, durationMs, ending } = entry;
  const value = {
    time: new Date(atMs).toISOString(),
    ...{ node, site, client, host: entry.host && clipped(entry.host) },
    ...{ method: clipped(entry.method), path: clipped(entry.path), protocol, status, bytes },
    durationMs: durationMs && Math.round(durationMs * 1000) / 1000,
    ...(ending === 'cut' && { complete: false }),
    referer: entry.referer && clipped(entry.referer),
    userAgent: entry.userAgent && clipped(entry.userAgent),
  };
  return `${JSON.stringify(value).replaceAll(BEYOND_ASCII, unicodeEscape)}\n`;
}

/** What JSON leaves as it is: a byte of a header is a character up to U+00FF here. */
const BEYOND_ASCII = /[\u007f-\uffff]/g;

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** As nginx's predefined `combined` and Apache's of that name (mod_log_config). */
function combinedLine(entry: AccessEntry): string {
  const { client = '-', status, bytes } = entry;
  const request = `${quoted(entry.method)} ${quoted(entry.path)} ${entry.protocol}`;
  const said = `"${quoted(entry.referer ?? '-')}" "${quoted(entry.userAgent ?? '-')}"`;
  return `${client} - - [${commonTime(entry.atMs)}] "${request}" ${status} ${bytes} ${said}\n`;
}

/** nginx since 1.1.6, Apache since 2.0.46: `\xHH` for each octet that could be mistaken. */
function quoted(text: string): string {
  return clipped(text).replaceAll(/["\\\u0000-\u001f\u007f-\uffff]/g, hexEscape);
}

function hexEscape(character: string): string {
  const code = character.charCodeAt(0);
  const octets = code <= 0xff ? [code] : [...Buffer.from(character)];
  return octets.map((octet) => `\\x${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function clipped(text: string): string {
  return text.length <= FIELD_LENGTH_MAX ? text : `${text.slice(0, FIELD_LENGTH_MAX - 3)}...`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** "21/Nov/2026:23:40:43 +0000" */
function commonTime(atMs: number): string {
  const text = new Date(atMs).toISOString();
  const month = MONTHS[Number(text.slice(5, 7)) - 1];
  return `${text.slice(8, 10)}/${month}/${text.slice(0, 4)}:${text.slice(11, 19)} +0000`;
}
