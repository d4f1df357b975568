import type { HttpHeaders } from '../../../runtime/http.ts';
import type { EdgeOptionsOfSite } from '../snapshot.ts';

/**
 * What each answer of a site carries by its options, before any rule: Strict-Transport-Security
 * (RFC 6797 §6.1) and the headers of its preset.
 */
export function presetHeaders(options: EdgeOptionsOfSite | undefined): HttpHeaders {
  const { hsts, securityHeaders = 'none' } = options ?? {};
  return [...(hsts === undefined ? [] : [transportSecurity(hsts)]), ...PRESETS[securityHeaders]];
}

/** What OWASP's cheat sheet of response headers asks of any site, and breaks none of its own. */
const BASIC: HttpHeaders = [
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'SAMEORIGIN'],
  ['referrer-policy', 'strict-origin-when-cross-origin'],
];

/** Own content alone, which a site has to be made for: no inline scripts, no others' images. */
const POLICY = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
  'upgrade-insecure-requests',
].join('; ');

const STRICT: HttpHeaders = [
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'strict-origin-when-cross-origin'],
  ['content-security-policy', POLICY],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-embedder-policy', 'require-corp'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=()'],
  ['x-permitted-cross-domain-policies', 'none'],
];

const PRESETS: Readonly<Record<EdgeOptionsOfSite['securityHeaders'], HttpHeaders>> = {
  none: [],
  basic: BASIC,
  strict: STRICT,
};

function transportSecurity(
  hsts: NonNullable<EdgeOptionsOfSite['hsts']>,
): readonly [name: string, value: string] {
  const { maxAgeS, includeSubdomains, preload } = hsts;
  const directives = [
    `max-age=${maxAgeS}`,
    ...(includeSubdomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ];
  return ['strict-transport-security', directives.join('; ')];
}
