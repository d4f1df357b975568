import { ageColumn, nameColumn, readyColumn, reasonColumn, UNKNOWN } from './column.ts';
import { type Declared, group, optional, statusGroup, text } from './field.ts';
import { defineKind } from './kind.ts';
import type { Resource } from './object.ts';

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
  columns: [
    nameColumn,
    { header: 'TYPE', value: (issuer) => Object.keys(issuer.spec)[0] ?? UNKNOWN },
    readyColumn,
    ageColumn,
    reasonColumn,
  ],
});
