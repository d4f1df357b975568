/**
 * `Retry-After` as a time from now: seconds or a date (RFC 9110 §10.2.3), never negative, at most
 * a day. Undefined for nothing, and for nonsense.
 */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined || value.length > HEADER_CHARACTERS_MAX) return undefined;
  const text = value.trim();
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs) || !/^\d+$|^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  return Math.min(Math.max(0, waitMs), RETRY_AFTER_MS_MAX);
}

/** Targets of `Link` headers with that relation, as sent (RFC 8288 §3). */
export function linkTargets(
  values: string | readonly string[] | undefined,
  relation: string,
): readonly string[] {
  const texts = typeof values === 'string' ? [values] : (values ?? []);
  return texts
    .flatMap((text) => [...text.slice(0, LINK_CHARACTERS_MAX).matchAll(LINK)])
    .filter(([, , parameters = '']) => relationsOf(parameters).includes(relation))
    .map(([, target = '']) => target);
}

/** Undefined for nothing, and for what no server should send (RFC 8555 §6.5.1). */
export function nonceOf(value: string | undefined): string | undefined {
  return value !== undefined && /^[A-Za-z0-9_-]{1,512}$/.test(value) ? value : undefined;
}

const HEADER_CHARACTERS_MAX = 100;
const LINK_CHARACTERS_MAX = 16_384;
const RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1000;
/** `<target>; name=value; name="value"`: neither part can be read in two ways, so none takes long. */
const LINK = /<([^<>"]*)>((?:\s*;[^",;<>]*(?:"[^"]*")?)*)/g;

function relationsOf(parameters: string): readonly string[] {
  const match = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;",]*))/i.exec(parameters);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase().split(/\s+/);
}
