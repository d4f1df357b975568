import { ageColumn, nameColumn, readyColumn, reasonColumn, UNKNOWN } from './column.ts';
import { parseDurationMs } from './duration.ts';
import { type Declared, group, optional, statusGroup, text } from './field.ts';
import { defineKind, type Violation } from './kind.ts';
import type { Resource } from './object.ts';
import { aboutField, check } from './rules.ts';

/** The issuer that is always there. */
export const INTERNAL_ISSUER = 'internal';

export const issuerSpecSchema = group('Where certificates come from: exactly one of its fields.', {
  ca: optional(
    group("Certificates are signed by b8s's own CA, which clients must be told to trust.", {
      lifetime: text('How long a certificate is good for, e.g. 90d or 12h.', { default: '90d' }),
    }),
  ),
});

export const issuerStatusSchema = statusGroup({});

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
  const { ca } = issuer.spec;
  if (ca === undefined)
    return [aboutField(['spec'], 'names no source of certificates; write ca: {}')];
  return check(['spec', 'ca', 'lifetime'], ca.lifetime, lifetimeProblem);
}

function lifetimeProblem(lifetime: string): string | undefined {
  const lifetimeMs = parseDurationMs(lifetime);
  if (lifetimeMs === undefined) return 'must be a duration, e.g. 90d, 12h or 30m';
  if (lifetimeMs < LIFETIME_MS_MIN) return 'must be at least 1m';
  return lifetimeMs > LIFETIME_MS_MAX ? 'must be at most 3650d' : undefined;
}
