import { ageColumn, nameColumn, readyColumn, reasonColumn, several, until } from './column.ts';
import { choice, type Declared, group, list, optional, statusGroup, text, time } from './field.ts';
import { defineKind } from './kind.ts';
import { certificateNameProblem, objectNameProblem } from './names.ts';
import type { Resource } from './object.ts';
import { check, checkEach } from './rules.ts';

export const certificateSpecSchema = group('The certificate as it should be issued.', {
  names: list(
    'The names that it is good for; one wildcard label may lead.',
    text('A name, e.g. blog.example.com or *.example.com.'),
    { minItems: 1, maxItems: 100, uniqueItems: true },
  ),
  issuer: text('The Issuer, by name.'),
  keyType: choice('The kind of its key.', ['ecdsa-p256', 'rsa-2048'], { default: 'ecdsa-p256' }),
});

export const certificateStatusSchema = statusGroup({
  notBefore: optional(time('When the certificate in use began to be good.')),
  notAfter: optional(time('When the certificate in use ends.')),
  renewalTime: optional(time('When it will be renewed.')),
  fingerprint: optional(text('SHA-256 of its DER, lower-case hex.')),
  serialNumber: optional(text('Its serial number, lower-case hex.')),
  lastError: optional(text('What went wrong at the last try; absent after a success.')),
  nextTry: optional(time('When a failed order is tried again.')),
});

export type CertificateSpec = Declared<typeof certificateSpecSchema>;
export type CertificateStatus = Declared<typeof certificateStatusSchema>;
/** A certificate that is issued and renewed by itself. */
export type Certificate = Resource<CertificateSpec, CertificateStatus>;

export const certificateKind = defineKind({
  kind: 'Certificate',
  plural: 'certificates',
  shortNames: ['cert'],
  scope: 'namespace',
  description:
    'A TLS certificate, issued and renewed by itself. Each Site gets one; others can be declared by hand.',
  spec: certificateSpecSchema,
  status: certificateStatusSchema,
  rules: (certificate) => [
    ...checkEach(['spec', 'names'], certificate.spec.names, certificateNameProblem),
    ...check(['spec', 'issuer'], certificate.spec.issuer, objectNameProblem),
  ],
  columns: [
    nameColumn,
    readyColumn,
    { header: 'NAMES', value: (certificate) => several(certificate.spec.names, 2) },
    { header: 'ISSUER', value: (certificate) => certificate.spec.issuer },
    {
      header: 'EXPIRES-IN',
      value: (certificate, nowMs) => until(certificate.status?.notAfter, nowMs, 'expired'),
    },
    {
      header: 'RENEWS-IN',
      value: (certificate, nowMs) => until(certificate.status?.renewalTime, nowMs, 'now'),
    },
    ageColumn,
    reasonColumn,
  ],
});
