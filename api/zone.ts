import { ageColumn, NONE, nameColumn, readyColumn, reasonColumn, several } from './column.ts';
import {
  COUNT,
  choiceOr,
  type Declared,
  group,
  integer,
  list,
  optional,
  statusGroup,
  TTL_S,
  text,
} from './field.ts';
import { defineKind } from './kind.ts';
import type { Resource } from './object.ts';
import { RECORD_TYPES } from './rdata/types.ts';
import { dnssecSpecSchema, dnssecStatusFields } from './zone-dnssec.ts';
import { zoneRules } from './zone-rules.ts';
import { secondariesSchema } from './zone-secondaries.ts';

/** How many record sets one zone may declare. */
export const ZONE_RECORDS_MAX = 10_000;

const recordSchema = group('The records of one name and type.', {
  name: text(
    '`@` for the origin, a name relative to it (`www`), or a whole one (`www.example.com.`).',
    {
      maxLength: 1024,
    },
  ),
  type: choiceOr(
    'The type of the records. `ALIAS` answers with the addresses of another name, also at the origin; types without a name are `TYPE65280` (RFC 3597).',
    RECORD_TYPES,
    // What else there is, a rule tells more about.
    { pattern: '^[A-Z][A-Z0-9-]*$' },
  ),
  ttl: optional(
    integer('How long resolvers may keep them, in seconds. Left out: spec.ttl.', TTL_S),
  ),
  values: list(
    'One value per record, as in a zone file (RFC 1035 §5.1): `192.0.2.1`, `10 mail.example.net.`, `v=spf1 -all`; of any type also as bytes, `\\# 4 0a000001`.',
    text('A value.', { maxLength: 65_535 }),
    { minItems: 1, maxItems: 1000, uniqueItems: true },
  ),
});

const SOA_INTERVAL_S = { minimum: 1, maximum: 2_147_483_647 } as const;

export const zoneSpecSchema = group('The zone as it should be answered.', {
  origin: text('The name at the top of the zone, e.g. example.com.', { format: 'hostname' }),
  ttl: integer('How long resolvers may keep records that say nothing else, in seconds.', {
    ...TTL_S,
    default: 300,
  }),
  records: list(
    'The static records. Sites under the origin add theirs by themselves.',
    recordSchema,
    {
      maxItems: ZONE_RECORDS_MAX,
      default: [],
    },
  ),
  nameservers: optional(
    list(
      'The name servers of the zone, by host name. Left out: `<node>.ns.<origin>` for each node with the role nameserver.',
      text('A host name, e.g. ns1.example.net.', { format: 'hostname' }),
      { minItems: 1, maxItems: 13, uniqueItems: true },
    ),
  ),
  soa: group(
    'The start of authority (RFC 1035 §3.3.13). The serial is kept by b8s.',
    {
      mailbox: optional(
        text('The mailbox of who answers for the zone, as a name. Left out: hostmaster.<origin>.'),
      ),
      refreshS: integer('Seconds between checks by secondary servers.', {
        ...SOA_INTERVAL_S,
        default: 3600,
      }),
      retryS: integer('Seconds before a failed check is tried again.', {
        ...SOA_INTERVAL_S,
        default: 600,
      }),
      expireS: integer('Seconds after which a secondary without contact stops to answer.', {
        ...SOA_INTERVAL_S,
        default: 1_209_600,
      }),
      negativeTtlS: integer('Seconds that resolvers may remember that a name is not (RFC 2308).', {
        ...TTL_S,
        default: 300,
      }),
    },
    { default: {} },
  ),
  dnssec: optional(dnssecSpecSchema),
  secondaries: optional(secondariesSchema),
});

export const zoneStatusSchema = statusGroup({
  serial: optional(integer('The serial of the version that is being served.', COUNT)),
  servedBy: optional(
    group('The nameservers that serve the zone.', {
      current: integer('How many serve the latest version.', COUNT),
      total: integer('How many should.', COUNT),
    }),
  ),
  nameservers: optional(
    list('The names that the parent zone should delegate to.', text('A host name.'), {
      maxItems: 1000,
    }),
  ),
  ...dnssecStatusFields,
});

export type ZoneSpec = Declared<typeof zoneSpecSchema>;
export type ZoneStatus = Declared<typeof zoneStatusSchema>;
export type ZoneRecord = ZoneSpec['records'][number];
/** A DNS zone that the nameserver nodes answer for. */
export type Zone = Resource<ZoneSpec, ZoneStatus>;

export const zoneKind = defineKind({
  kind: 'Zone',
  plural: 'zones',
  shortNames: ['zo'],
  scope: 'namespace',
  description:
    'A DNS zone: its origin and static records. Sites under the origin get their records by themselves.',
  spec: zoneSpecSchema,
  status: zoneStatusSchema,
  rules: zoneRules,
  columns: [
    nameColumn,
    { header: 'ORIGIN', value: (zone) => zone.spec.origin },
    { header: 'SERIAL', value: (zone) => String(zone.status?.serial ?? NONE) },
    readyColumn,
    { header: 'SERVED', value: (zone) => formatServed(zone.status?.servedBy) },
    ageColumn,
    { header: 'NAMESERVERS', wide: true, value: (zone) => several(zone.status?.nameservers ?? []) },
    reasonColumn,
  ],
});

function formatServed(servedBy: ZoneStatus['servedBy']): string {
  return servedBy === undefined ? NONE : `${servedBy.current}/${servedBy.total}`;
}
