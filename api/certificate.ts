import {
  ageColumn,
  NONE,
  nameColumn,
  readyColumn,
  reasonColumn,
  several,
  until,
} from './column.ts';
import { parseDurationMs } from './duration.ts';
import { choice, type Declared, group, list, optional, statusGroup, text, time } from './field.ts';
import { INTERNAL_ISSUER } from './issuer.ts';
import { defineKind, type Violation } from './kind.ts';
import { certificateNameProblem, objectNameProblem } from './names.ts';
import type { Resource } from './object.ts';
import { aboutField, check, checkEach } from './rules.ts';

export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

const renewalSchema = group('When it is renewed. Left out: when two thirds of its life are over.', {
  before: optional(
    text('At the latest so long before it ends, e.g. 40d. A third of its life is the least.'),
  ),
  window: optional(
    group('The hours that renewals are kept to, as long as that makes none of them late.', {
      days: list('The days on which it opens. Left out: every day.', choice('A day.', WEEKDAYS), {
        maxItems: 7,
        uniqueItems: true,
        default: [],
      }),
      from: text('When it opens, UTC, e.g. 02:00.', { maxLength: 5 }),
      to: text('When it closes, UTC, e.g. 05:00; earlier than `from`: on the next day.', {
        maxLength: 5,
      }),
    }),
  ),
});

export const certificateSpecSchema = group('The certificate as it should be issued.', {
  names: list(
    'The names that it is good for; one wildcard label may lead.',
    text('A name, e.g. blog.example.com or *.example.com.'),
    { minItems: 1, maxItems: 100, uniqueItems: true },
  ),
  issuer: text('The Issuer, by name.', { default: INTERNAL_ISSUER }),
  secret: optional(
    text(
      'Instead of any Issuer: a Secret of the same namespace with a certificate of your own, the chain under `tls.crt` and its key under `tls.key`.',
    ),
  ),
  keyType: choice('The kind of its key.', ['ecdsa-p256', 'rsa-2048'], { default: 'ecdsa-p256' }),
  renewal: optional(renewalSchema),
});

/** How many tries a status tells of. */
export const CERTIFICATE_TRIES_MAX = 20;

const trySchema = group('One try to get it from a CA.', {
  time: time('When it ended.'),
  started: time('When it began.'),
  issuer: text('The Issuer that was asked.'),
  outcome: choice('How it ended.', ['issued', 'failed', 'abandoned']),
  detail: text('The fingerprint of what was issued, or what went wrong.', { maxLength: 32_768 }),
  order: optional(text("The order's URL at the CA.")),
});

export const certificateStatusSchema = statusGroup({
  notBefore: optional(time('When the certificate in use began to be good.')),
  notAfter: optional(time('When the certificate in use ends.')),
  renewalTime: optional(time('When it will be renewed.')),
  fingerprint: optional(text('SHA-256 of its DER, lower-case hex.')),
  serialNumber: optional(text('Its serial number, lower-case hex.')),
  lastError: optional(text('What went wrong at the last try; absent after a success.')),
  nextTry: optional(time('When a failed order is tried again.')),
  order: optional(text('The URL at the CA of the order that is under way.')),
  tries: optional(
    list('The last tries to get it from a CA, oldest first.', trySchema, {
      maxItems: CERTIFICATE_TRIES_MAX,
    }),
  ),
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
    ...check(['spec', 'secret'], certificate.spec.secret, (name) =>
      name === undefined ? undefined : objectNameProblem(name),
    ),
    ...renewalViolations(certificate.spec),
  ],
  columns: [
    nameColumn,
    readyColumn,
    { header: 'NAMES', value: (certificate) => several(certificate.spec.names, 2) },
    { header: 'ISSUER', value: ({ spec }) => (spec.secret === undefined ? spec.issuer : NONE) },
    {
      header: 'EXPIRES-IN',
      value: (certificate, nowMs) => until(certificate.status?.notAfter, nowMs, 'expired'),
    },
    {
      header: 'RENEWS-IN',
      value: (certificate, nowMs) => until(certificate.status?.renewalTime, nowMs, 'now'),
    },
    { header: 'LAST-ERROR', value: (certificate) => lastError(certificate) },
    { ...ageColumn, wide: true },
    reasonColumn,
  ],
});

const CLOCK = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/;
const LAST_ERROR_SHOWN_MAX = 60;

function renewalViolations({ renewal }: CertificateSpec): readonly Violation[] {
  const { before, window } = renewal ?? {};
  const path = ['spec', 'renewal'];
  const violations = [
    ...(before === undefined ? [] : check([...path, 'before'], before, duration)),
  ];
  if (window === undefined) return violations;
  const { from, to } = window;
  violations.push(...check([...path, 'window', 'from'], from, clockProblem));
  violations.push(...check([...path, 'window', 'to'], to, clockProblem));
  if (from === to)
    violations.push(aboutField([...path, 'window'], 'opens and closes at once; leave it out'));
  return violations;
}

function duration(text: string): string | undefined {
  const durationMs = parseDurationMs(text);
  return durationMs !== undefined && durationMs > 0
    ? undefined
    : 'must be a duration, e.g. 40d or 12h';
}

function clockProblem(text: string): string | undefined {
  return CLOCK.test(text) ? undefined : 'must be an hour and minute, UTC, e.g. 02:00';
}

/** What is short enough for a table; `describe` has the whole. */
function lastError({ status }: Certificate): string {
  const error = status?.lastError;
  if (error === undefined) return NONE;
  return error.length <= LAST_ERROR_SHOWN_MAX
    ? error
    : `${error.slice(0, LAST_ERROR_SHOWN_MAX - 1)}…`;
}
