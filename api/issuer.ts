import { ageColumn, nameColumn, readyColumn, reasonColumn, UNKNOWN } from './column.ts';
import { parseDurationMs } from './duration.ts';
import {
  choice,
  type Declared,
  flag,
  group,
  list,
  optional,
  statusGroup,
  text,
  time,
} from './field.ts';
import { defineKind, type Violation } from './kind.ts';
import { objectNameProblem } from './names.ts';
import type { Resource } from './object.ts';
import { aboutField, check, checkEach } from './rules.ts';

/** The issuer that is always there. */
export const INTERNAL_ISSUER = 'internal';

export const issuerSpecSchema = group('Where certificates come from: exactly one of its fields.', {
  ca: optional(
    group("Certificates are signed by b8s's own CA, which clients must be told to trust.", {
      lifetime: text('How long a certificate is good for, e.g. 90d or 12h.', { default: '90d' }),
    }),
  ),
  acme: optional(
    group("Certificates come from a public CA, or any that speaks ACME, such as Let's Encrypt.", {
      directory: text('URL of its directory.', { maxLength: 1024 }),
      termsOfServiceAgreed: flag('You agree to the terms of the CA; without it nothing is asked.'),
      contact: list(
        'Where the CA writes to: mail addresses.',
        text('A mail address, e.g. ops@example.com.', { maxLength: 254 }),
        { maxItems: 10, uniqueItems: true, default: [] },
      ),
      challenge: optional(
        choice(
          'How names are proven. Left out: dns-01 where a Zone of ours holds the name, else http-01.',
          ['dns-01', 'http-01', 'tls-alpn-01'],
        ),
      ),
      externalAccount: optional(
        group('An account with the CA that exists elsewhere, for CAs that ask for one.', {
          keyId: text('What the CA calls it.', { maxLength: 1024 }),
          secret: text('The Secret with its MAC key, base64url, under `mac-key`: namespace/name.'),
        }),
      ),
      preferredChain: optional(
        text('Common name of the root that the chain should lead to, where the CA has several.'),
      ),
      profile: optional(text('A certificate profile of the CA, e.g. shortlived.')),
      caBundle: optional(
        text('PEM of the CA that signed the certificate of the directory itself.', {
          maxLength: 65_536,
        }),
      ),
      fallbacks: list(
        'Issuers that are asked in turn after this one has failed a few times, and at once while its account cannot be used or a limit is reached.',
        text('An Issuer, by name.'),
        { maxItems: 5, uniqueItems: true, default: [] },
      ),
      selfCheck: choice('What is looked at before the CA is asked.', ['full', 'none'], {
        default: 'full',
      }),
    }),
  ),
});

export const issuerStatusSchema = statusGroup({
  account: optional(
    group('The account at the CA.', {
      url: optional(text("The account's URL; absent: it is not registered yet.")),
      directory: text('The CA that it is of.'),
      keyTime: time('When its key was made.'),
      termsOfService: optional(text("Where the CA's terms are.")),
    }),
  ),
  lastError: optional(text('Why the CA could not be asked; absent: it could.')),
  nextTry: optional(time('When it is asked again.')),
});

export type IssuerSpec = Declared<typeof issuerSpecSchema>;
export type IssuerStatus = Declared<typeof issuerStatusSchema>;
/** A source of certificates. */
export type Issuer = Resource<IssuerSpec, IssuerStatus>;

export const issuerKind = defineKind({
  kind: 'Issuer',
  plural: 'issuers',
  shortNames: ['iss'],
  scope: 'cluster',
  description:
    'A source of certificates. The one named `internal`, the built-in CA, is always there.',
  spec: issuerSpecSchema,
  status: issuerStatusSchema,
  rules: issuerRules,
  columns: [
    nameColumn,
    { header: 'TYPE', value: (issuer) => Object.keys(issuer.spec)[0] ?? UNKNOWN },
    readyColumn,
    ageColumn,
    reasonColumn,
  ],
});

const LIFETIME_MS_MIN = 60_000;
const LIFETIME_MS_MAX = 3650 * 86_400_000;

function issuerRules(issuer: Issuer): readonly Violation[] {
  const { ca, acme } = issuer.spec;
  if (ca !== undefined && acme !== undefined)
    return [aboutField(['spec'], 'names two sources of certificates; keep ca or acme')];
  if (ca !== undefined) return check(['spec', 'ca', 'lifetime'], ca.lifetime, lifetimeProblem);
  if (acme !== undefined) return acmeViolations(issuer.metadata.name, acme);
  return [aboutField(['spec'], 'names no source of certificates; write ca: {} or acme: …')];
}

function acmeViolations(
  name: string,
  { directory, contact, externalAccount, caBundle, fallbacks }: Acme,
): readonly Violation[] {
  const path = ['spec', 'acme'];
  const violations = [
    ...check([...path, 'directory'], directory, urlProblem),
    ...checkEach([...path, 'contact'], contact, mailProblem),
    ...checkEach([...path, 'fallbacks'], fallbacks, (fallback) =>
      fallback === name ? 'is this issuer itself; leave it out' : objectNameProblem(fallback),
    ),
  ];
  if (externalAccount !== undefined)
    violations.push(
      ...check([...path, 'externalAccount', 'secret'], externalAccount.secret, secretProblem),
    );
  if (caBundle !== undefined && !caBundle.includes('-----BEGIN CERTIFICATE-----'))
    violations.push(aboutField([...path, 'caBundle'], 'must be certificates as PEM'));
  return violations;
}

type Acme = NonNullable<IssuerSpec['acme']>;

/** Plain http is for CAs under test on this machine: keys sign what is sent, but answers are not. */
function urlProblem(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isLocal = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])$/.test(parsed?.hostname ?? '');
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLocal)) return undefined;
  return 'must be an https URL, e.g. https://acme-v02.api.letsencrypt.org/directory';
}

function mailProblem(address: string): string | undefined {
  if (address.startsWith('mailto:')) return `leave "mailto:" out: ${address.slice(7)}`;
  return /^[!-~]+@[!-~]+$/.test(address) && !/[,?&<>"]/.test(address)
    ? undefined
    : 'must be a mail address, e.g. ops@example.com';
}

function secretProblem(secret: string): string | undefined {
  return /^[^/]+\/[^/]+$/.test(secret)
    ? undefined
    : 'must name a Secret with its namespace, e.g. default/acme-account';
}

function lifetimeProblem(lifetime: string): string | undefined {
  const lifetimeMs = parseDurationMs(lifetime);
  if (lifetimeMs === undefined) return 'must be a duration, e.g. 90d, 12h or 30m';
  if (lifetimeMs < LIFETIME_MS_MIN) return 'must be at least 1m';
  return lifetimeMs > LIFETIME_MS_MAX ? 'must be at most 3650d' : undefined;
}
