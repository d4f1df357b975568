import {
  type AcmeAuthorization,
  type AcmeChallenge,
  type AcmeDirectory,
  type AcmeOrder,
  type AcmeProblemDocument,
  CHALLENGE_TYPES,
  type RenewalInfo,
} from '../../acme/acme.ts';
import { type Fields, fieldsOf, printable, type UrlProblem } from './read-json.ts';

/** What a CA offers, and where. */
export interface DirectoryUrls {
  readonly directory: AcmeDirectory;
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly revokeCert: string;
  readonly keyChange: string;
  readonly renewalInfo: string | undefined;
}

/** RFC 8555 §7.1.1, draft-aaron-acme-profiles §3, RFC 9773 §4. */
export function readDirectory(fields: Fields): DirectoryUrls {
  const meta = fields.group('meta');
  const profiles = meta?.group('profiles');
  const renewalInfo = fields.optionalUrl('renewalInfo');
  const [termsOfService, website] = [pageUrl(meta, 'termsOfService'), pageUrl(meta, 'website')];
  return {
    directory: {
      ...(termsOfService === undefined ? {} : { termsOfService }),
      ...(website === undefined ? {} : { website }),
      caaIdentities: (meta?.list('caaIdentities', IDENTITIES_MAX) ?? []).flatMap(caaIdentity),
      externalAccountRequired: meta?.flag('externalAccountRequired') ?? false,
      profiles: readProfiles(profiles),
      hasRenewalInfo: renewalInfo !== undefined,
    },
    newNonce: fields.url('newNonce'),
    newAccount: fields.url('newAccount'),
    newOrder: fields.url('newOrder'),
    revokeCert: fields.url('revokeCert'),
    keyChange: fields.url('keyChange'),
    renewalInfo,
  };
}

/** RFC 8555 §7.1.3. `url`: of the order, which it does not say itself. */
export function readOrder(
  fields: Fields,
  url: string,
  retryAfterMs: number | undefined,
  urlProblem: UrlProblem,
): AcmeOrder {
  const status = oneOf(ORDER_STATES, fields.text('status'), 'status');
  const certificateUrl = fields.optionalUrl('certificate');
  if (status === 'valid' && certificateUrl === undefined)
    throw new Error('it is valid and has no certificate');
  const expiresMs = fields.optionalTimeMs('expires');
  const problem = fields.group('error');
  return {
    url,
    status,
    names: fields
      .list('identifiers', NAMES_MAX)
      .map((one) => readName(fieldsOf(one, urlProblem)))
      .toSorted(),
    authorizations: fields.list('authorizations', NAMES_MAX).map((one) => {
      if (typeof one !== 'string') throw new Error('an authorization is no URL');
      const wrong = urlProblem(one);
      if (wrong !== undefined) throw new Error(`an authorization ${wrong}`);
      return one;
    }),
    finalizeUrl: fields.url('finalize'),
    ...(certificateUrl === undefined ? {} : { certificateUrl }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(problem === undefined ? {} : { problem: readProblem(problem) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** RFC 8555 §7.1.4. */
export function readAuthorization(
  fields: Fields,
  url: string,
  retryAfterMs: number | undefined,
  urlProblem: UrlProblem,
): AcmeAuthorization {
  const identifier = fields.group('identifier');
  if (identifier === undefined) throw new Error('it has no field identifier');
  const expiresMs = fields.optionalTimeMs('expires');
  const name = readName(identifier);
  if (name.startsWith('*.')) throw new Error('its name is a wildcard');
  return {
    url,
    name,
    wildcard: fields.flag('wildcard'),
    status: oneOf(AUTHORIZATION_STATES, fields.text('status'), 'status'),
    challenges: fields
      .list('challenges', CHALLENGES_MAX)
      .map((one) => fieldsOf(one, urlProblem))
      .flatMap(readChallenge),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** RFC 9773 §4.2: an end that is not after the start is as no answer. */
export function readRenewalInfo(fields: Fields, retryAfterMs: number | undefined): RenewalInfo {
  const window = fields.group('suggestedWindow');
  const [startMs, endMs] = [window?.optionalTimeMs('start'), window?.optionalTimeMs('end')];
  if (startMs === undefined || endMs === undefined) throw new Error('it has no suggestedWindow');
  if (endMs <= startMs) throw new Error('its suggestedWindow ends before it begins');
  const explanationUrl = pageUrl(fields, 'explanationURL');
  return {
    startMs,
    endMs,
    ...(explanationUrl === undefined ? {} : { explanationUrl }),
    retryAfterMs: Math.min(Math.max(retryAfterMs ?? ASK_AGAIN_MS, MINUTE_MS), 24 * HOUR_MS),
  };
}

/** RFC 8555 §6.7, RFC 9457 §3.1. What a person is shown is one line and bounded. */
export function readProblem(fields: Fields): AcmeProblemDocument {
  const title = fields.optionalText('title', DETAIL_CHARACTERS_MAX);
  const detail = fields.optionalText('detail', DETAIL_CHARACTERS_MAX);
  const subproblems = fields.list('subproblems', SUBPROBLEMS_MAX).map((one) => {
    const problem = fieldsOf(one, () => undefined);
    const name = problem.group('identifier')?.optionalText('value');
    return {
      ...readTypeAndDetail(problem),
      ...(name === undefined ? {} : { name: printable(name, 255) }),
    };
  });
  return {
    ...readTypeAndDetail(fields),
    detail: printable(detail ?? title ?? 'the CA gives no reason'),
    ...(subproblems.length === 0 ? {} : { subproblems }),
  };
}

/** `newOrder`, `authorizations` and so on, with as many names as any CA takes. */
const NAMES_MAX = 1_000;
const CHALLENGES_MAX = 32;
const IDENTITIES_MAX = 32;
const PROFILES_MAX = 64;
const SUBPROBLEMS_MAX = 1_000;
const DETAIL_CHARACTERS_MAX = 16_384;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Where the CA does not say (RFC 9773 §4.3.1). */
const ASK_AGAIN_MS = 6 * HOUR_MS;
const ERROR_PREFIX = 'urn:ietf:params:acme:error:';
const ORDER_STATES = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const;
const CHALLENGE_STATES = ['pending', 'processing', 'valid', 'invalid'] as const;
const AUTHORIZATION_STATES = [
  ...(['pending', 'valid', 'invalid'] as const),
  ...(['deactivated', 'expired', 'revoked'] as const),
];

function readTypeAndDetail(fields: Fields): { readonly type: string; readonly detail: string } {
  const type = fields.optionalText('type') ?? 'about:blank';
  const bare = type.startsWith(ERROR_PREFIX) ? type.slice(ERROR_PREFIX.length) : type;
  const detail = fields.optionalText('detail', DETAIL_CHARACTERS_MAX) ?? '';
  return { type: printable(bare, 100), detail: printable(detail) };
}

/** None for a type that we do not know: other CAs offer other ways. */
function readChallenge(fields: Fields): readonly AcmeChallenge[] {
  const type = CHALLENGE_TYPES.find((one) => one === fields.optionalText('type'));
  if (type === undefined) return [];
  const token = fields.text('token', TOKEN_CHARACTERS_MAX);
  // RFC 8555 §8.1; it becomes part of a path.
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new Error('a token is not base64url');
  const problem = fields.group('error');
  const status = oneOf(CHALLENGE_STATES, fields.text('status'), 'status');
  const url = fields.url('url');
  return [
    {
      type,
      url,
      token,
      status,
      ...(problem === undefined ? {} : { problem: readProblem(problem) }),
    },
  ];
}

const TOKEN_CHARACTERS_MAX = 256;

function readName(identifier: Fields): string {
  const value = identifier.text('value', 255).toLowerCase();
  const isName = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(value);
  if (!isName || identifier.text('type') !== 'dns')
    throw new Error(`its identifier "${printable(value)}" is no name`);
  return value;
}

function readProfiles(profiles: Fields | undefined): Readonly<Record<string, string>> {
  const names = profiles?.names ?? [];
  if (names.length > PROFILES_MAX) throw new Error('it has too many profiles');
  const named = names
    .filter((name) => /^[A-Za-z0-9._-]{1,64}$/.test(name))
    .map((name) => [name, printable(profiles?.optionalText(name) ?? '')]);
  return Object.fromEntries(named) as Record<string, string>;
}

/** One that is no name can stand in no CAA record: it is left out. */
function caaIdentity(value: unknown): readonly string[] {
  const isName = typeof value === 'string' && /^[A-Za-z0-9.-]{1,255}$/.test(value);
  return isName ? [value.toLowerCase()] : [];
}

/** For people to open, never for us: one that is none is left out. */
function pageUrl(fields: Fields | undefined, name: string): string | undefined {
  const text = fields?.optionalText(name);
  const isPage = text !== undefined && /^https?:\/\//.test(text) && URL.canParse(text);
  return isPage ? new URL(text).href : undefined;
}

function oneOf<Value extends string>(
  values: readonly Value[],
  value: string,
  field: string,
): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`its ${field} is ${printable(value, 40)}`);
  return found;
}
