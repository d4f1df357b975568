import { type NameKey, parseName, ROOT } from '../rdata/name.ts';
import { parseRdata, type RdataOutcome } from '../rdata/rdata.ts';
import { typeName, typeNumber } from '../rdata/types.ts';
import { absoluteName, relativeName } from '../records.ts';
import type { ZoneRecord } from '../zone.ts';
import type { ZoneFileSpec } from './parse.ts';

/** What of a zone its manifest does not say. */
export interface ZoneFileExtras {
  readonly serial: number;
  /** Host names, the primary first; for a Zone that names none itself. */
  readonly nameservers: readonly string[];
  /** Records that b8s adds, e.g. the addresses of name servers. */
  readonly added: readonly ZoneRecord[];
  /** Lines for people at the end. */
  readonly comments: readonly string[];
}

/** How long the SOA itself may be kept, as nameservers answer it. */
const SOA_TTL_S = 3600;

/**
 * A zone file (RFC 1035 §5) that BIND, NSD and Knot read, and `parseZoneFile`, too. An ALIAS, which
 * they do not know, is written by number, so that nothing gets lost.
 */
export function writeZoneFile(spec: ZoneFileSpec, extras: ZoneFileExtras): string {
  const { origin, ttl, soa } = spec;
  const key = parseName(origin) ?? ROOT;
  const nameservers = spec.nameservers ?? extras.nameservers;
  const mailbox = soa.mailbox ?? `hostmaster.${origin}`;
  const times = [extras.serial, soa.refreshS, soa.retryS, soa.expireS, soa.negativeTtlS].join(' ');
  const declared = new Set(spec.records.map((record) => setKey(record, origin)));
  const added = extras.added.filter((record) => !declared.has(setKey(record, origin)));
  return [
    `$ORIGIN ${wholeName(origin)}`,
    `$TTL ${ttl}`,
    `@\t${SOA_TTL_S}\tIN\tSOA\t${wholeName(nameservers[0] ?? `ns.${origin}`)} ${wholeName(mailbox)} ${times}`,
    ...nameservers.map((name) => `@\t${ttl}\tIN\tNS\t${wholeName(name)}`),
    ...[...spec.records, ...added].flatMap((record) => recordLines(record, { origin: key, ttl })),
    ...extras.comments.map((comment) => `; ${comment.replaceAll(/[^ -~]/g, '?')}`),
    '',
  ].join('\n');
}

function setKey({ name, type }: ZoneRecord, origin: string): string {
  return `${absoluteName(name, origin)} ${type}`;
}

function recordLines(
  record: ZoneRecord,
  { origin, ttl }: { readonly origin: NameKey; readonly ttl: number },
): readonly string[] {
  const type = typeNumber(record.type);
  const owner = parseName(absoluteName(record.name, originText(origin)));
  if (type === undefined || owner === undefined) return [];
  const head = `${relativeName(owner, origin)}\t${record.ttl ?? ttl}\tIN\t`;
  return record.values.flatMap((value) => {
    const outcome = parseRdata(type, value, { origin, dotted: 'relative' });
    // What `apply` refuses is in no Zone.
    return outcome.kind === 'error' ? [] : valueLines(type, head, outcome);
  });
}

function valueLines(
  type: number,
  head: string,
  rdata: Extract<RdataOutcome, { readonly kind: 'rdata' }>,
): readonly string[] {
  if (typeName(type) !== 'ALIAS') return [`${head}${typeName(type)}\t${rdata.text}`];
  const wire = Buffer.concat(rdata.parts.filter((part) => typeof part !== 'string'));
  return [
    `; ALIAS ${rdata.text} is answered by b8s only; other servers find no address here`,
    `${head}TYPE${type}\t\\# ${wire.length} ${wire.toString('hex')}`,
  ];
}

function originText(origin: NameKey): string {
  return origin === ROOT ? '' : relativeName(origin, ROOT);
}

function wholeName(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}
