import {
  ageColumn,
  NONE,
  nameColumn,
  readyColumn,
  reasonColumn,
  several,
  shortDigest,
} from './column.ts';
import {
  choice,
  type Declared,
  flag,
  group,
  integer,
  list,
  numberChoice,
  optional,
  statusGroup,
  TTL_S,
  text,
  time,
} from './field.ts';
import { defineKind } from './kind.ts';
import type { Resource } from './object.ts';
import { previewsSchema, previewsStatusSchema } from './previews.ts';
import { routingSchema } from './routing.ts';
import { aheadSchema, rolloutSchema, rolloutStatusSchema } from './site-rollout.ts';
import { siteRules } from './site-rules.ts';
import {
  accessLogSchema,
  authSchema,
  hstsSchema,
  mimeTypesSchema,
  urlsSchema,
} from './site-serving.ts';

const headerRuleSchema = group('A header for some paths.', {
  path: text('A path; one `*` stands for anything, `:name` for one part: `/assets/*`.'),
  name: text('The name of the header, e.g. Cache-Control (RFC 9110 §5.1).', { maxLength: 128 }),
  value: text('The value of the header.'),
});

const redirectRuleSchema = group('A redirect for some paths.', {
  from: text('A path; one `*` stands for anything, `:name` for one part: `/old/*`, `/news/:year`.'),
  to: text('A path or an http(s) URL; `*` and `:name` stand for what those of `from` matched.'),
  status: numberChoice(
    'The status to answer with. 200 and 404 answer with the file at `to`, a path, and no redirect.',
    [200, 301, 302, 303, 307, 308, 404],
    { default: 308 },
  ),
  force: optional(
    flag('For 200 and 404: where there is a file at the path, too. Redirects always are.'),
  ),
});

export const siteSpecSchema = group('The site as it should be served.', {
  hosts: list(
    'The names that the site is served at; the first one is canonical.',
    text('A name, e.g. blog.example.com.', { format: 'hostname' }),
    { minItems: 1, maxItems: 64, uniqueItems: true },
  ),
  content: optional(
    group('What to serve. Left out: nothing yet.', {
      release: optional(
        text('A published release, by name: `sha256-` and 64 hex digits.', {
          pattern: '^sha256-[0-9a-f]{64}$',
        }),
      ),
      path: optional(
        text('A folder that `b8sctl apply` uploads, relative to the manifest: `./public`.'),
      ),
      archive: optional(
        text(
          'Instead of a folder: a .tar, .tar.gz, .tar.zst or .zip file, relative to the manifest, or an image, `oci://registry/name:tag`.',
        ),
      ),
    }),
  ),
  tls: group(
    'Where the certificate of the site comes from.',
    {
      issuer: text('An Issuer, by name; `internal` is the built-in CA.', { default: 'internal' }),
      secret: optional(
        text('Instead of any Issuer: a Secret with a certificate of your own, see Certificate.'),
      ),
    },
    { default: {} },
  ),
  routing: routingSchema,
  notFoundPage: text('The page for unknown paths, relative to the root of the content.', {
    default: '404.html',
  }),
  singlePageApp: flag('Answer unknown paths without a file extension with index.html.'),
  headers: list('Headers to add or replace; the last rule that fits wins.', headerRuleSchema, {
    maxItems: 256,
    default: [],
  }),
  redirects: list('Redirects; the first rule that fits wins.', redirectRuleSchema, {
    maxItems: 1024,
    default: [],
  }),
  rollout: optional(rolloutSchema),
  previews: optional(previewsSchema),
  urls: optional(urlsSchema),
  canonicalHost: optional(flag('Redirect the other hosts to the first one.')),
  caching: optional(
    choice(
      '`auto`: files whose name holds a hash of their content are kept for a year (RFC 8246), the others asked for each time; `revalidate`: all are asked for each time.',
      ['auto', 'revalidate'],
      { default: 'auto' },
    ),
  ),
  compression: optional(
    choice('Whether text is sent compressed to who can read it.', ['on', 'off'], { default: 'on' }),
  ),
  hsts: optional(hstsSchema),
  securityHeaders: optional(
    choice(
      '`basic`: no sniffing of types, no frames by others, referrers cut to the origin; `strict`: also a Content-Security-Policy for own content alone, and isolation from other origins.',
      ['none', 'basic', 'strict'],
      { default: 'none' },
    ),
  ),
  auth: optional(authSchema),
  mimeTypes: optional(mimeTypesSchema),
  accessLog: optional(accessLogSchema),
  ttl: integer('How long resolvers may keep an answer for the site, in seconds.', {
    ...TTL_S,
    default: 30,
  }),
});

export const siteStatusSchema = statusGroup({
  release: optional(text('The release that is being served.')),
  switchedAt: optional(
    time('When it was switched to, in whole seconds; later with each switch, also back.'),
  ),
  rollout: optional(rolloutStatusSchema),
  ahead: optional(aheadSchema),
  previews: optional(previewsStatusSchema),
  certificate: optional(text('The Certificate that the site is served with, by name.')),
  dns: optional(
    group('How the names of the site resolve.', {
      zones: list('The Zones, by name, that answer for its hosts.', text('A Zone.'), {
        maxItems: 64,
      }),
      candidates: list('The nodes that may be answered, by name.', text('A node.'), {
        maxItems: 10_000,
      }),
    }),
  ),
});

export type SiteSpec = Declared<typeof siteSpecSchema>;
export type SiteStatus = Declared<typeof siteStatusSchema>;
export type HeaderRule = SiteSpec['headers'][number];
export type RedirectRule = SiteSpec['redirects'][number];
/** Static content under some names, served by every edge. */
export type Site = Resource<SiteSpec, SiteStatus>;

export const siteKind = defineKind({
  kind: 'Site',
  plural: 'sites',
  shortNames: ['si'],
  scope: 'namespace',
  description: 'Static content under one or more host names, served from the edge nodes.',
  spec: siteSpecSchema,
  status: siteStatusSchema,
  rules: siteRules,
  columns: [
    nameColumn,
    { header: 'HOSTS', value: (site) => several(site.spec.hosts, 2) },
    readyColumn,
    { header: 'RELEASE', value: (site) => shortDigest(site.status?.release) },
    { header: 'NODES', value: (site) => formatProgress(site.status?.rollout) },
    ageColumn,
    { header: 'POLICY', wide: true, value: (site) => site.spec.routing.policy },
    {
      header: 'ISSUER',
      wide: true,
      value: ({ spec: { tls } }) => (tls.secret === undefined ? tls.issuer : NONE),
    },
    reasonColumn,
  ],
});

/** How many nodes serve the latest release while not all do; else how many have verified it. */
function formatProgress(rollout: SiteStatus['rollout']): string {
  if (rollout === undefined) return NONE;
  return `${rollout.switched ?? rollout.verified}/${rollout.total}`;
}
