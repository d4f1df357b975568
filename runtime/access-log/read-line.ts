import type { AccessEntry } from './line.ts';

/** When the answer of a line was over; undefined: it is no line of an access log. */
export function lineTimeMs(line: string): number | undefined {
  const json = JSON_TIME.exec(line)?.[1];
  const timeMs = json === undefined ? commonTimeMs(line) : Date.parse(json);
  return timeMs === undefined || Number.isNaN(timeMs) ? undefined : timeMs;
}

const JSON_TIME = /^\{"time":"([^"]{20,24})"/;

/**
 * What a line says, in either format; undefined: it is none of an access log. Of one that is
 * `combined` nobody can tell node, site, host and duration.
 */
export function readLine(
  line: string,
  from: { readonly node: string; readonly site: string },
): AccessEntry | undefined {
  return line.startsWith('{') ? readJson(line, from) : readCombined(line, from);
}

function readJson(
  line: string,
  from: { readonly node: string; readonly site: string },
): AccessEntry | undefined {
  const value = parsed(line);
  const atMs = lineTimeMs(line);
  if (value === undefined || atMs === undefined) return undefined;
  const text = (name: string): string | undefined => {
    const said = value[name];
    return typeof said === 'string' ? said : undefined;
  };
  const number = (name: string): number | undefined => {
    const said = value[name];
    return typeof said === 'number' ? said : undefined;
  };
  return {
    ...{ atMs, node: text('node') ?? from.node, site: text('site') ?? from.site },
    ...{ client: text('client'), host: text('host'), method: text('method') ?? '' },
    ...{ path: text('path') ?? '', protocol: text('protocol') ?? '' },
    ...{ status: number('status') ?? 0, bytes: number('bytes') ?? 0 },
    durationMs: number('durationMs'),
    ending: value['complete'] === false ? 'cut' : 'whole',
    ...{ referer: text('referer'), userAgent: text('userAgent') },
  };
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing within the quotes is a quote, for those are escaped. */
const COMBINED =
  /^(\S{1,64}) - - \[[^\]]{26}\] "([^" ]*) ([^"]*) (HTTP\/\d\.\d)" (\d{3}) (\d{1,16}) "([^"]*)" "([^"]*)"$/;

function readCombined(
  line: string,
  { node, site }: { readonly node: string; readonly site: string },
): AccessEntry | undefined {
  const found = COMBINED.exec(line);
  const atMs = commonTimeMs(line);
  if (found === null || atMs === undefined) return undefined;
  const [, client, method = '', path = '', protocol = '', status, bytes, referer, agent] = found;
  return {
    ...{ atMs, node, site, client: said(client), method: plain(method), path: plain(path) },
    ...{ protocol, status: Number(status), bytes: Number(bytes), ending: 'whole' },
    ...{ referer: said(referer), userAgent: said(agent) },
  };
}

/** `-` stands for nothing. */
function said(text: string | undefined): string | undefined {
  return text === undefined || text === '-' ? undefined : plain(text);
}

function plain(text: string): string {
  return text.replaceAll(/\\x([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const COMMON_TIME =
  /^\S{1,64} - - \[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) \+0000\]/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

function commonTimeMs(line: string): number | undefined {
  const [, day, name = '', year, time] = COMMON_TIME.exec(line) ?? [];
  const month = MONTHS.indexOf(name) / 3 + 1;
  if (day === undefined || !Number.isInteger(month) || month < 1) return undefined;
  return Date.parse(`${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`);
}
