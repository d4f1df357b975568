import { COUNT, type Declared, group, integer, list, text } from './field.ts';
import type { Violation } from './kind.ts';
import { hostProblem, LABEL_BYTES_MAX, NAME_BYTES_MAX } from './names.ts';
import { about, check } from './rules.ts';

export const previewsSchema = group(
  'Each release at an address of its own, `<first 12 digits>--<site>.<domain>`, which search engines are told to leave out.',
  {
    domain: text('The names are right below it; best within a Zone of yours.', {
      format: 'hostname',
    }),
    keep: integer('How many releases, the newest ones, have one.', {
      minimum: 1,
      maximum: 50,
      default: 5,
    }),
  },
);

export const previewsStatusSchema = list(
  'The releases with an address of their own, the newest first.',
  group('A release at an address of its own.', {
    release: text('The release.'),
    url: text('Its address.'),
    ready: integer('How many nodes answer there.', COUNT),
    total: integer('How many nodes should.', COUNT),
  }),
  { maxItems: 50 },
);

export type PreviewsSpec = Declared<typeof previewsSchema>;
export type PreviewStatus = Declared<typeof previewsStatusSchema>[number];

/** Of a Site with previews, the part of all their hosts behind the digits: `--blog.preview.example.com`. */
export function previewSuffix(site: string, { domain }: PreviewsSpec): string {
  return `--${site}.${domain}`;
}

/** `release`: `sha256-` and 64 hex digits. */
export function previewHost(site: string, release: string, previews: PreviewsSpec): string {
  return `${previewDigits(release)}${previewSuffix(site, previews)}`;
}

/** What its host begins with. */
export function previewDigits(release: string): string {
  return release.slice(DIGITS_START, DIGITS_START + DIGITS);
}

/** What a Site alone may have: its hosts, and those of its previews under one name for all. */
export function reservedHosts({
  metadata: { name },
  spec: { hosts, previews },
}: {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly hosts: readonly string[];
    readonly previews?: PreviewsSpec | undefined;
  };
}): readonly string[] {
  return previews === undefined ? hosts : [...hosts, `*${previewSuffix(name, previews)}`];
}

/** Undefined: no host of a preview. */
export function suffixOfPreview(host: string): string | undefined {
  return PREVIEW_HOST.test(host) ? host.slice(DIGITS) : undefined;
}

/** The name that stands for all hosts of previews, in certificates and in Zones. */
export function previewWildcard({ domain }: Pick<PreviewsSpec, 'domain'>): string {
  return `*.${domain}`;
}

/** Of the Certificate that all Sites of a namespace with this domain share. */
export function previewCertificateName({ domain }: Pick<PreviewsSpec, 'domain'>): string {
  return `previews.${domain}`;
}

const DIGITS = 12;
const DIGITS_START = 'sha256-'.length;
const PREVIEW_HOST = /^[0-9a-f]{12}--/;
const SITE_NAME_MAX = LABEL_BYTES_MAX - DIGITS - '--'.length;
const DOMAIN_MAX = NAME_BYTES_MAX - LABEL_BYTES_MAX - 1;

export function previewsViolations(
  site: string,
  previews: PreviewsSpec | undefined,
): readonly Violation[] {
  if (previews === undefined) return [];
  const steps = ['spec', 'previews', 'domain'];
  return [
    ...check(steps, previews.domain, (domain) => hostProblem(domain) ?? domainProblem(domain)),
    ...(isLabel(site) ? [] : [about(steps, previews.domain, NAME_MEND)]),
  ];
}

/** The certificate and the Zone hold one wildcard, which stands for one label. */
function isLabel(site: string): boolean {
  return site.length <= SITE_NAME_MAX && !site.includes('.');
}

const NAME_MEND = `previews need a Site whose name has at most ${SITE_NAME_MAX} characters and no dot: declare it by another name`;

function domainProblem(domain: string): string | undefined {
  if (domain.length <= DOMAIN_MAX) return undefined;
  return `is ${domain.length} characters long; at most ${DOMAIN_MAX} leave room for the names below it`;
}
