import { parseDurationMs } from './duration.ts';
import { choice, type Declared, decimal, flag, group, list, map, text } from './field.ts';
import type { Violation } from './kind.ts';
import { objectNameProblem } from './names.ts';
import { patternProblem } from './path-pattern.ts';
import { aboutField, check, checkEach } from './rules.ts';

export const urlsSchema = group('What the addresses of pages look like.', {
  html: choice(
    '`keep`: /about and /about.html both answer; `hide`: /about.html is redirected to /about, and /docs/index.html to /docs/.',
    ['keep', 'hide'],
    { default: 'keep' },
  ),
  trailingSlash: choice(
    '`auto`: folders end in a slash, files do not; `always`: pages do, too; `never`: folders do not either.',
    ['auto', 'always', 'never'],
    { default: 'auto' },
  ),
});

export const hstsSchema = group(
  'Tell browsers to come over HTTPS only (RFC 6797). They remember it for so long, even when you take it back.',
  {
    maxAge: text('For how long, e.g. 365d; 0s takes it back.', { default: '365d' }),
    includeSubdomains: flag('For all names below the hosts, too.'),
    preload: flag('Agree to be put on the lists that browsers come with.'),
  },
);

export const authSchema = group('Ask for a user name and password (RFC 7617).', {
  secret: text(
    'A Secret of the same namespace: its keys are user names, its values passwords. Nodes get hashes of them.',
  ),
  realm: text('What browsers show.', { default: 'restricted', maxLength: 128 }),
  paths: list(
    'Which paths are asked for it; one `*` stands for anything, `:name` for one part.',
    text('A path.'),
    {
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      default: ['/*'],
    },
  ),
});

export const accessLogSchema = group(
  'What nodes note of each request, in files of their own; see `b8sctl logs`.',
  {
    format: choice(
      '`none`: nothing; `json`: an object a line; `combined`: as nginx and Apache do.',
      ['none', 'json', 'combined'],
      { default: 'none' },
    ),
    percent: decimal('Of how many of 100 requests; errors of the server (5xx) always are.', {
      minimum: 0,
      maximum: 100,
      default: 100,
    }),
    clientAddress: choice(
      '`full`: the address; `network`: its /24, of IPv6 its /48, which is no single person; `none`: not at all.',
      ['full', 'network', 'none'],
      { default: 'full' },
    ),
  },
);

export const mimeTypesSchema = map(
  'Content types by file extension, instead of the usual ones, e.g. `wasm: application/wasm`.',
  text('A content type (RFC 9110 §8.3.1).', { maxLength: 128 }),
  { maxProperties: 256 },
);

export type UrlsSpec = Declared<typeof urlsSchema>;
export type HstsSpec = Declared<typeof hstsSchema>;
export type AuthSpec = Declared<typeof authSchema>;
export type AccessLogSpec = Declared<typeof accessLogSchema>;

interface ServingSpec {
  readonly hsts?: HstsSpec | undefined;
  readonly auth?: AuthSpec | undefined;
  readonly mimeTypes?: Readonly<Record<string, string>> | undefined;
}

export function servingViolations(spec: ServingSpec): readonly Violation[] {
  const { hsts, auth, mimeTypes = {} } = spec;
  return [
    ...(hsts === undefined ? [] : hstsViolations(hsts)),
    ...(auth === undefined ? [] : authViolations(auth)),
    ...Object.entries(mimeTypes).flatMap(([extension, type]) => [
      ...check(['spec', 'mimeTypes', extension], extension, extensionProblem),
      ...check(['spec', 'mimeTypes', extension], type, contentTypeProblem),
    ]),
  ];
}

function authViolations({ secret, realm, paths }: AuthSpec): readonly Violation[] {
  return [
    ...check(['spec', 'auth', 'secret'], secret, objectNameProblem),
    ...check(['spec', 'auth', 'realm'], realm, realmProblem),
    // One that fits no path would leave open what it was to guard.
    ...checkEach(['spec', 'auth', 'paths'], paths, patternProblem),
  ];
}

function realmProblem(realm: string): string | undefined {
  return /^[ !#-[\]-~]*$/.test(realm)
    ? undefined
    : 'must be plain ASCII without quotes and backslashes';
}

/** What lists of browsers ask for (hstspreload.org). */
const PRELOAD_MS_MIN = 365 * 86_400_000;

function hstsViolations({ maxAge, includeSubdomains, preload }: HstsSpec): readonly Violation[] {
  const ms = parseDurationMs(maxAge);
  if (ms === undefined)
    return check(['spec', 'hsts', 'maxAge'], maxAge, () => 'must be a duration, e.g. 365d');
  if (!preload || (includeSubdomains && ms >= PRELOAD_MS_MIN)) return [];
  const message = 'needs includeSubdomains: true and a maxAge of 365d or more';
  return [aboutField(['spec', 'hsts', 'preload'], message)];
}

function extensionProblem(extension: string): string | undefined {
  return /^[0-9a-z][0-9a-z+_-]{0,31}$/.test(extension)
    ? undefined
    : 'must be a file extension in lower case, without its dot, e.g. wasm';
}

function contentTypeProblem(type: string): string | undefined {
  return /^[\w.+-]+\/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*$/.test(type)
    ? undefined
    : 'must be a content type, e.g. text/plain;charset=utf-8';
}
